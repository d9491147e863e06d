#pragma once
#include <string>

#include "model/product_model.h"
#include "model/value.h"

namespace fieldgate {

/// `value` as `model` wants it: `value` itself, or a new value put into `room`; nullptr if it does
/// not fit. Floats that are not finite fit nowhere; without a model every other value fits.
///
/// - int, long: what is integral once `step` has rounded it, within min and max; where the model
///   has no min or max, within 32 or 64 bits. bool is 0 or 1.
/// - decimal: any number within min and max.
/// - boolean: bool, and numbers that are 0 or 1.
/// - string, enum: strings, and every other value as its text ("true", "231.4"): of enum_list, if
///   that has anything in it, and not longer than max_length.
/// - DateTime: strings yyyyMMdd'T'HHmmss'Z' that are a date.
/// - jsonObject: strings that are a JSON object. string list: as string, a list of one.
///
/// `step` rounds to the grid min, min + step, ... (from 0 without a min); halfway, away from its
/// start; at max, to the last place inside. A value outside min and max does not fit, even if
/// rounding would bring it inside.
const Value* fit(const Value& value, const FieldModel* model, Value& room);

/// Appends what fit() returned, as JSON of the model's type.
void append_as(std::string& out, const Value& fitted, const FieldModel* model);

}  // namespace fieldgate
