// SPDX-License-Identifier: GPL-2.0-or-later
#include "gwd/request.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"

static int parse_args(struct request *request, const json_t *args, struct err *err)
{
	size_t n = json_array_size(args);
	if (!json_is_array(args))
		return err_set(err, EBADMSG, "the request's \"args\" is not a list");
	if (n > REQUEST_ARGS)
		return err_set(err, EBADMSG, "%zu arguments are more than the %d that a command can have", n,
			       REQUEST_ARGS);
	for (size_t i = 0; i < n; i++) {
		const char *arg = json_string_value(json_array_get(args, i));
		if (!arg)
			return err_set(err, EBADMSG, "argument %zu of the request is not a string", i + 1);
		request->args[request->n_args++] = arg;
	}
	return 0;
}

int request_parse(struct request *request, const char *line, size_t size, struct err *err)
{
	json_error_t error;
	const json_t *args = NULL;
	int json = 0;
	*request = (struct request){0};
	request->root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	if (!request->root)
		return err_set(err, EBADMSG, "the request is not JSON: %s", error.text);
	if (json_unpack_ex(request->root, &error, 0, "{s:s, s?o, s?b !}", "command", &request->command,
			   "args", &args, "json", &json) < 0)
		return err_set(err, EBADMSG, "the request is not what gwctl would send: %s", error.text);
	request->json = json;
	return args ? parse_args(request, args, err) : 0;
}

void request_free(struct request *request)
{
	json_decref(request->root);
	*request = (struct request){0};
}

int request_write(const struct request *request, struct buf *out, struct err *err)
{
	int rc = 0;
	json_t *args = json_array();
	for (size_t i = 0; i < request->n_args; i++)
		if (json_array_append_new(args, json_string(request->args[i])) < 0)
			rc = err_set(err, EILSEQ, "argument %zu is not UTF-8 text", i + 1);
	json_t *root = json_pack("{s:s, s:o, s:b}", "command", request->command, "args", args, "json",
				 request->json);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	if (!rc && !text)
		rc = err_set(err, EILSEQ, "the command is not UTF-8 text");
	if (!rc && strlen(text) >= REQUEST_MAX)
		rc = err_set(err, E2BIG, "the arguments are too long");
	if (!rc)
		buf_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
	return rc;
}
