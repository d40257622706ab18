// SPDX-License-Identifier: MIT
// Preloaded into iptux 0.8.3, whose AnalogFS::mkdir calls itself without end, so that it cannot
// receive a folder; later versions mended it. The class is declared as far as it has to be.
#include <string>
#include <sys/stat.h>

namespace iptux {

class AnalogFS {
public:
	int mkdir(const char *dir, mode_t mode);

private:
	char path[1024]; // where it stands
};

int AnalogFS::mkdir(const char *dir, mode_t mode)
{
	std::string full = dir[0] == '/' ? dir : std::string(path) + "/" + dir;
	struct stat st;

	return ::stat(full.c_str(), &st) == 0 ? 0 : ::mkdir(full.c_str(), mode);
}

} // namespace iptux
