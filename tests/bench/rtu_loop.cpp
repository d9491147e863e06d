// What the gateway's serial lines are compared with: nothing but libmodbus, a thread for each line.
//   fieldgate-bench-rtu-loop BAUD REGISTERS PATH...
// Reads unit 1 as fast as it goes until it is killed. It keeps no silence between frames.
#include <modbus/modbus.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

void poll(const char* path, int baud, int registers) {
    // Two stop bits: as many bits as with parity, which a pty does not have.
    modbus_t* const line = modbus_new_rtu(path, baud, 'N', 8, 2);
    if (line == nullptr || modbus_set_slave(line, 1) != 0 || modbus_connect(line) != 0) {
        std::fprintf(stderr, "%s: %s\n", path, modbus_strerror(errno));
        std::exit(1);
    }
    modbus_set_response_timeout(line, 2, 0);
    std::array<std::uint16_t, MODBUS_MAX_READ_REGISTERS> values{};
    for (;;)
        if (modbus_read_registers(line, 0, registers, values.data()) != registers)
            std::fprintf(stderr, "%s: %s\n", path, modbus_strerror(errno));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    std::vector<std::thread> lines;
    for (int i = 3; i < argc; ++i)
        lines.emplace_back(poll, argv[i], std::atoi(argv[1]), std::atoi(argv[2]));
    for (std::thread& line : lines) line.join();
}
