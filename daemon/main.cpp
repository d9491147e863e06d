#include "daemon/local/options.h"

int main(int argc, char** argv) { return fieldgate::run_command_line(argc, argv); }
