#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fieldgate::config {

/// One thing wrong with a text before anybody knows what the text is about.
struct Fault {
    int line = 1;    ///< From 1.
    int column = 1;  ///< From 1, in characters.
    std::string what;
    std::string hint;
};

/// The lines of a text, and where a byte of one stands when people count characters. The text must
/// outlive it.
class Lines {
public:
    explicit Lines(std::string_view text);

    /// Line `number` (from 1) without its end; empty if there is none.
    std::string_view line(int number) const;
    /// The column (from 1, in characters) of byte `byte` (from 0) of a line. A byte that is no
    /// UTF-8 counts as a character. Cheap if asked in the order of the text.
    int column(int number, std::size_t byte) const;

private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
    mutable int last_line_ = 0;
    mutable std::size_t last_byte_ = 0;
    mutable int last_column_ = 1;
};

/// The bytes of the character that `text` begins with: 1 to 4, or 0 if it does not begin with
/// UTF-8 (RFC 3629: no overlong forms, no surrogates). `text` must not be empty.
std::size_t utf8_length(std::string_view text);

}  // namespace fieldgate::config
