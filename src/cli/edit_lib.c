/* SPDX-License-Identifier: MIT */
#include "cli/edit_lib.h"

#ifdef COO_LINK_EDIT

const struct edit_lib *edit_lib_get(const char **why)
{
#define EDIT_LIB_LINKED(name) .name = name,
	static const struct edit_lib linked = { EDIT_LIB_LIST(EDIT_LIB_LINKED) };
#undef EDIT_LIB_LINKED

	*why = NULL;
	return &linked;
}

#else

#include <dlfcn.h>
#include <string.h>

#include "proto/attr.h"

/* By ABI: Debian's and its descendants', everybody else's. */
static const char *const sonames[] = { "libedit.so.2", "libedit.so.0" };

static void *open_library(const char **why)
{
	void *handle = NULL;

	for (size_t i = 0; i < COO_ARRAY_LEN(sonames) && !handle; i++) {
		handle = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);
		if (!handle && i == 0)
			*why = dlerror();
	}
	return handle;
}

/* A function's address out of a library is a data pointer to POSIX, not to ISO C. */
static bool find(void *handle, const char *name, void *to, size_t n)
{
	void *p = dlsym(handle, name);

	memcpy(to, &p, n);
	return p != NULL;
}

const struct edit_lib *edit_lib_get(const char **why)
{
	static struct edit_lib lib;
	static void *handle;
	bool ok = true;

	*why = NULL;
	if (handle)
		return &lib;
	handle = open_library(why);
	if (!handle)
		return NULL;
#define EDIT_LIB_FIND(name) ok = find(handle, #name, &lib.name, sizeof(lib.name)) && ok;
	EDIT_LIB_LIST(EDIT_LIB_FIND)
#undef EDIT_LIB_FIND
	if (ok)
		return &lib;
	*why = dlerror();
	dlclose(handle);
	handle = NULL;
	return NULL;
}

#endif
