#pragma once

namespace fieldgate {

/// How a command ends. `configuration` is given up by the service manager (the unit's
/// RestartPreventExitStatus): only where nothing but a person can mend it. After `failed` it is
/// tried again.
enum class Exit : int { well = 0, failed = 1, usage = 2, already_running = 3, configuration = 78 };

}  // namespace fieldgate
