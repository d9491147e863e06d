// Asio, compiled once. See ASIO_SEPARATE_COMPILATION in cmake/options.cmake.
#include <asio/impl/src.hpp>
