/* SPDX-License-Identifier: MIT */
#include "base/version.h"
#include "cli/cmd.h"
#include "cli/out.h"

struct version_opts {
	struct common common;
};

static int run(void *opts, int argc, char **argv)
{
	(void)opts;
	(void)argv;
	if (argc > 0) {
		say_error("version takes no arguments");
		return EXIT_USAGE;
	}
	if (out_is_json()) {
		json_t *o = out_event("version");

		json_object_set_new(o, "version", json_string(COO_VERSION));
		out_json(o);
	}
	out_text("coo %s\n", COO_VERSION);
	return EXIT_DONE;
}

extern const struct cmd cmd_version;
const struct cmd cmd_version = {
	.name = "version",
	.args = "",
	.summary = "print the version",
	.examples = "  coo version\n",
	.opts_size = sizeof(struct version_opts),
	.groups = OPT_GROUP_OUT,
	.run = run,
};
