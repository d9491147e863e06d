#pragma once
#include "base/json.h"
#include "base/result.h"
#include "model/point.h"
#include "model/product_model.h"
#include "model/value.h"

namespace fieldgate {

/// What the platform sent for a property or a parameter -> the value that is meant. The JSON type
/// must be that of `model`: a number for int, long and decimal (5.0 is an int), true and false also
/// as 1 and 0 and the other way round; text for string, enum and DateTime; an object for
/// jsonObject; for string list a list of one. Unlike fit() nothing is rounded: what is off the
/// step is refused. Numbers with a fraction become decimals as they were written. Without a model:
/// the JSON type as it is, which is bool, number or text.
///
/// Errors: bad_data (another JSON type or form), out_of_range (outside of min, max, step,
/// max_length, enum_list); the text names the limit.
Result<Value> accept(const json::Value& sent, const FieldModel* model);

/// Whether `value` may be written to `point`. Errors: unsupported (the template or the model does
/// not allow writing), out_of_range (outside of the template's write.min and write.max).
Result<void> check_writable(const Value& value, const Point& point);

/// accept() by the point's model, then check_writable().
Result<Value> accept_write(const json::Value& sent, const Point& point);

}  // namespace fieldgate
