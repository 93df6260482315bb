/* A disk that hangs: no sync returns while the file named by HANGS_WHILE is there. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void hang(void)
{
    const char *name = getenv("HANGS_WHILE");
    while (name && access(name, F_OK) == 0)
        usleep(1000);
}

int fsync(int fd)
{
    hang();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd)
{
    hang();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
