// SPDX-License-Identifier: GPL-2.0-or-later
// The control socket, its client and the checks in front of every command. `version` is the command
// that needs no engine, so none is made here.
#include "gwd/control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gwd/base/buf.h"
#include "gwd/base/err.h"
#include "gwd/base/mono.h"
#include "gwd/client.h"
#include "gwd/command.h"
#include "gwd/command_list.h"
#include "gwd/request.h"

static char dir[] = "/tmp/gwd-control-XXXXXX";
static char path[64], lock_path[80];

static void set_up(void)
{
	cr_assert(mkdtemp(dir));
	chmod(dir, 0755); // also others may come as far as the socket
	snprintf(path, sizeof(path), "%s/control.sock", dir);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
}

static void tear_down(void)
{
	unlink(path);
	unlink(lock_path);
	rmdir(dir);
}

TestSuite(control, .init = set_up, .fini = tear_down, .timeout = 60);

// ---- a daemon in a process of its own --------------------------------------------------------

static void serve(const char *group, mode_t mode, int ready)
{
	struct err err;
	struct event_base *base = event_base_new();
	signal(SIGPIPE, SIG_IGN);
	if (control_open(base, NULL, path, group, &err) < 0)
		_exit(1);
	if (mode)
		chmod(path, mode);
	if (write(ready, "r", 1) == 1)
		event_base_dispatch(base);
	_exit(0);
}

static pid_t start(const char *group, mode_t mode)
{
	int ready[2];
	char c;
	cr_assert_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (!pid)
		serve(group, mode, ready[1]);
	close(ready[1]);
	cr_assert_eq(read(ready[0], &c, 1), 1, "the daemon ends before it is ready");
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	int status;
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the daemon had ended by itself");
}

static int connect_raw(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 20};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	cr_assert_eq(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

// What the daemon answers to these bytes, up to the end of the connection.
static void exchange(const char *bytes, size_t size, char *answer, size_t room)
{
	int fd = connect_raw();
	size_t n = 0;
	if (size)
		send(fd, bytes, size, MSG_NOSIGNAL);
	for (ssize_t got; n + 1 < room && (got = recv(fd, answer + n, room - 1 - n, 0)) > 0;)
		n += (size_t)got;
	answer[n] = 0;
	close(fd);
}

static int ask(const char *command, struct buf *body, struct err *err)
{
	struct request request = {.command = command};
	int exit = -1, rc = client_ask(path, &request, &exit, body, NULL, err);
	return rc < 0 ? rc : exit;
}

static void expect_served(void)
{
	struct buf body = {0};
	struct err err = {0};
	cr_expect_eq(ask("version", &body, &err), REPLY_DONE, "%s", err.text);
	cr_expect_str_eq(buf_text(&body), "gwd " GWD_VERSION "\n");
	buf_free(&body);
}

// ---- requests --------------------------------------------------------------------------------

static void expect_refused(const char *line, const char *why)
{
	struct request request;
	struct err err = {0};
	int rc = request_parse(&request, line, strlen(line), &err);
	if (rc == 0)
		rc = command_check(&request, &err);
	cr_expect_lt(rc, 0, "taken: %s", line);
	cr_expect(strstr(err.text, why), "\"%s\" is not about %s", err.text, why);
	request_free(&request);
}

Test(control, requests_that_are_refused)
{
	expect_refused("", "not JSON");
	expect_refused("status", "not JSON");
	expect_refused("[]", "not what gwctl would send");
	expect_refused("{}", "command");
	expect_refused("{\"command\":7}", "not what gwctl would send");
	expect_refused("{\"command\":\"status\",\"force\":true}", "force");
	expect_refused("{\"command\":\"status\",\"command\":\"flush\"}", "not JSON");
	expect_refused("{\"command\":\"status\",\"args\":\"fiber\"}", "not a list");
	expect_refused("{\"command\":\"status\",\"args\":[7]}", "argument 1");
	expect_refused("{\"command\":\"status\",\"json\":1}", "not what gwctl would send");
	expect_refused("{\"command\":\"status\",\"args\":[\"a\",\"b\"]}", "usage: gwctl status [NAME]");
	expect_refused("{\"command\":\"rules\",\"args\":[\"a\"]}", "usage: gwctl rules");
	expect_refused("{\"command\":\"rules\",\"json\":true}", "no JSON form");
	expect_refused("{\"command\":\"dance\"}", "no command \"dance\"");
	expect_refused("{\"command\":\"status\",\"args\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
		       "17 arguments");
	expect_refused("{\"command\":\"sta\\u0000tus\"}", "not JSON");
}

Test(control, a_request_is_read_as_it_was_written)
{
	struct request sent = {.command = "status", .args = {"fi\"ber", "ü"}, .n_args = 2, .json = true}, got;
	struct buf line = {0};
	cr_assert_eq(request_write(&sent, &line, NULL), 0);
	cr_assert_eq(line.text[line.n - 1], '\n');
	cr_assert_eq(request_parse(&got, line.text, line.n - 1, NULL), 0);
	cr_expect_str_eq(got.command, "status");
	cr_expect_eq(got.n_args, 2);
	cr_expect_str_eq(got.args[0], "fi\"ber");
	cr_expect_str_eq(got.args[1], "ü");
	cr_expect(got.json);
	request_free(&got);
	buf_free(&line);
}

Test(control, words_that_can_not_travel)
{
	struct request bad = {.command = "status", .args = {"\xff"}, .n_args = 1};
	struct buf line = {0};
	char *word = calloc(1, REQUEST_MAX + 1);
	memset(word, 'x', REQUEST_MAX);
	struct request longer = {.command = "status", .args = {word}, .n_args = 1};
	cr_expect_eq(request_write(&bad, &line, NULL), -EILSEQ);
	cr_expect_eq(request_write(&longer, &line, NULL), -E2BIG);
	cr_expect_eq(line.n, 0);
	free(word);
}

Test(control, every_command_of_the_list_is_found)
{
	size_t n = 0;
	for (; command_list[n].name; n++)
		cr_expect_eq(command_find(command_list[n].name), &command_list[n]);
	cr_expect_geq(n, 5);
	cr_expect_null(command_find("top"));
}

// ---- answers ---------------------------------------------------------------------------------

Test(control, version_in_both_forms_and_an_unknown_command)
{
	char answer[512], want[512];
	pid_t pid = start("", 0);
	expect_served();
	static const char json[] = "{\"command\":\"version\",\"json\":true}\n";
	snprintf(want, sizeof(want), "{\"exit\":0,\"bytes\":%zu}\n{\"version\":\"" GWD_VERSION "\"}\n",
		 strlen("{\"version\":\"" GWD_VERSION "\"}\n"));
	exchange(json, strlen(json), answer, sizeof(answer));
	cr_expect_str_eq(answer, want);
	struct buf body = {0};
	cr_expect_eq(ask("top", &body, NULL), REPLY_USAGE);
	cr_expect(strstr(buf_text(&body), "gwd has no command \"top\""));
	buf_free(&body);
	stop(pid);
}

Test(control, bytes_behind_the_line_are_not_a_second_request)
{
	char answer[512];
	static const char two[] = "{\"command\":\"version\"}\n{\"command\":\"dance\"}\n";
	pid_t pid = start("", 0);
	exchange(two, strlen(two), answer, sizeof(answer));
	cr_expect(strstr(answer, "gwd " GWD_VERSION) && !strstr(answer, "dance"), "%s", answer);
	stop(pid);
}

Test(control, a_request_in_pieces)
{
	static const char line[] = "{\"command\":\"version\"}\n";
	char answer[512] = {0};
	pid_t pid = start("", 0);
	int fd = connect_raw();
	for (size_t i = 0; i < strlen(line); i++) {
		cr_assert_eq(send(fd, line + i, 1, MSG_NOSIGNAL), 1);
		usleep(1000);
	}
	cr_expect_gt(recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL), 0);
	cr_expect(strstr(answer, "gwd " GWD_VERSION), "%s", answer);
	close(fd);
	stop(pid);
}

Test(control, an_endless_request_is_cut_off)
{
	static char endless[4 * REQUEST_MAX], answer[512];
	memset(endless, 'x', sizeof(endless));
	pid_t pid = start("", 0);
	int fd = connect_raw();
	fcntl(fd, F_SETFL, O_NONBLOCK);
	size_t sent = 0;
	int64_t until_ms = mono_now_ms() + 3000;
	while (mono_now_ms() < until_ms && sent < sizeof(endless)) {
		ssize_t n = send(fd, endless + sent, sizeof(endless) - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
	}
	fcntl(fd, F_SETFL, 0);
	cr_expect_gt(recv(fd, answer, sizeof(answer) - 1, 0), 0);
	cr_expect(strstr(answer, "{\"exit\":2") && strstr(answer, "at most 65536 bytes"), "%s", answer);
	close(fd);
	expect_served();
	stop(pid);
}

Test(control, clients_that_leave_or_stall_do_no_harm)
{
	static const char line[] = "{\"command\":\"version\"}\n";
	pid_t pid = start("", 0);
	int stalled[15]; // one place is left
	for (size_t i = 0; i < 15; i++)
		stalled[i] = connect_raw();
	for (int i = 0; i < 50; i++) {
		int fd = connect_raw();
		cr_assert_eq(send(fd, line, strlen(line), MSG_NOSIGNAL), (ssize_t)strlen(line));
		close(fd); // gone before the answer
	}
	expect_served();
	for (size_t i = 0; i < 15; i++)
		close(stalled[i]);
	stop(pid);
}

// 20 say nothing; the 21st is served once the first have used up their time.
Test(control, silent_clients_are_dropped_and_the_next_get_their_turn)
{
	int silent[20];
	char c;
	pid_t pid = start("", 0);
	for (size_t i = 0; i < 20; i++)
		silent[i] = connect_raw();
	int64_t start_ms = mono_now_ms();
	expect_served();
	cr_expect_leq(mono_now_ms() - start_ms, 11000); // twice 16 places, five seconds each
	cr_expect_eq(recv(silent[0], &c, 1, MSG_DONTWAIT), 0, "the first should have been dropped");
	for (size_t i = 0; i < 20; i++)
		close(silent[i]);
	stop(pid);
}

// ---- the socket file -------------------------------------------------------------------------

static int open_here(const char *group, struct err *err)
{
	struct event_base *base = event_base_new();
	int rc = control_open(base, NULL, path, group, err);
	control_close();
	event_base_free(base);
	return rc;
}

Test(control, a_live_gwd_is_refused_a_dead_one_is_followed)
{
	struct err err;
	pid_t pid = start("", 0);
	cr_expect_eq(open_here("", &err), -EADDRINUSE);
	cr_expect(strstr(err.text, "another gwd runs on "), "%s", err.text);
	cr_expect_eq(control_claim(path, &err), -EADDRINUSE);
	expect_served();
	stop(pid);
	cr_expect_eq(access(path, F_OK), 0, "kill -9 should have left the socket behind");
	cr_expect_eq(open_here("", &err), 0, "%s", err.text);
	cr_expect_eq(access(path, F_OK), -1, "control_close() should have removed it");
}

Test(control, another_programs_file_or_socket_is_left_alone)
{
	struct err err;
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int file = open(path, O_CREAT | O_WRONLY, 0600);
	cr_expect_eq(open_here("", &err), -EEXIST);
	cr_expect(strstr(err.text, "is not a socket"), "%s", err.text);
	close(file);
	unlink(path);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_expect_eq(open_here("", &err), -EADDRINUSE);
	cr_expect(strstr(err.text, "another program answers"), "%s", err.text);
	cr_expect_eq(access(path, F_OK), 0);
	close(fd);
}

Test(control, mode_and_paths)
{
	struct err err;
	struct stat st;
	char long_path[256];
	struct event_base *base = event_base_new();
	mode_t old = umask(0);
	cr_assert_eq(control_open(base, NULL, path, "no-such-group", &err), 0, "%s", err.text);
	cr_expect_eq(umask(old), 0, "the umask should be as it was");
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600, "%o", st.st_mode);
	cr_assert_eq(control_update(path, getgrgid(getegid())->gr_name, &err), 0, "%s", err.text);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0660, "%o", st.st_mode);
	cr_expect_eq(st.st_gid, getegid());
	control_close();
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[255] = 0;
	cr_expect_eq(control_open(base, NULL, long_path, "", &err), -ENAMETOOLONG);
	snprintf(long_path, sizeof(long_path), "%s/a/b/control.sock", dir);
	cr_expect_eq(control_open(base, NULL, long_path, "", &err), -ENOENT);
	event_base_free(base);
}

Test(control, an_update_moves_to_another_path)
{
	struct err err;
	char other[80], other_lock[96];
	struct event_base *base = event_base_new();
	snprintf(other, sizeof(other), "%s.2", path);
	snprintf(other_lock, sizeof(other_lock), "%s.lock", other);
	cr_assert_eq(control_open(base, NULL, path, "", &err), 0, "%s", err.text);
	cr_assert_eq(mkdir(other, 0700), 0);
	cr_expect_eq(control_update(other, "", &err), -EEXIST, "a directory is no socket");
	cr_assert_eq(rmdir(other), 0);
	cr_expect_eq(access(path, F_OK), 0, "after an error it should be as it was");
	cr_assert_eq(control_update(other, "", &err), 0, "%s", err.text);
	cr_expect(access(path, F_OK) == -1 && access(other, F_OK) == 0);
	control_close();
	event_base_free(base);
	unlink(other_lock);
}

// ---- who may talk ----------------------------------------------------------------------------

// Runs as `uid` and `gid` with the group list given; returns what client_ask() or gwd answered.
static int ask_as(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, char *text, size_t size)
{
	int out[2], status;
	cr_assert_eq(pipe(out), 0);
	pid_t pid = fork();
	if (!pid) {
		struct buf body = {0};
		struct err err = {0};
		if (setgroups(n_groups, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
			_exit(99);
		int rc = ask("version", &body, &err);
		dprintf(out[1], "%s", rc < 0 ? err.text : buf_text(&body));
		_exit(rc < 0 ? 50 : rc);
	}
	close(out[1]);
	size_t n = 0;
	for (ssize_t got; (got = read(out[0], text + n, size - 1 - n)) > 0;)
		n += (size_t)got;
	text[n] = 0;
	close(out[0]);
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

#define STRANGER 54321 // a uid and gid that no host has
#define GROUP "daemon" // a group that every Debian has, gid 1

Test(control, root_and_the_group_may_talk_and_nobody_else)
{
	gid_t gid = getgrnam(GROUP)->gr_gid, many[200];
	char text[512];
	if (geteuid() != 0)
		cr_skip("becoming somebody else takes root");
	for (size_t i = 0; i < 200; i++)
		many[i] = (gid_t)(60000 + i);
	many[199] = gid;
	pid_t pid = start(GROUP, 0666); // the mode alone would let everybody in
	expect_served();
	cr_expect_eq(ask_as(STRANGER, gid, NULL, 0, text, sizeof(text)), REPLY_DONE, "%s", text);
	cr_expect_eq(ask_as(STRANGER, STRANGER, &gid, 1, text, sizeof(text)), REPLY_DONE, "%s", text);
	cr_expect_eq(ask_as(STRANGER, STRANGER, many, 200, text, sizeof(text)), REPLY_DONE, "%s", text);
	cr_expect_eq(ask_as(STRANGER, STRANGER, many, 199, text, sizeof(text)), REPLY_FAILED);
	cr_expect_str_eq(text, "refused: user 54321 is neither root nor in group " GROUP "\n");
	cr_expect_eq(ask_as(65534, STRANGER, NULL, 0, text, sizeof(text)), REPLY_FAILED);
	cr_expect_str_eq(text, "refused: user nobody is neither root nor in group " GROUP "\n");
	expect_served();
	stop(pid);
}

Test(control, the_sockets_mode_keeps_strangers_out)
{
	char text[512];
	if (geteuid() != 0)
		cr_skip("becoming somebody else takes root");
	pid_t pid = start(GROUP, 0);
	cr_expect_eq(ask_as(STRANGER, STRANGER, NULL, 0, text, sizeof(text)), 50);
	cr_expect(strstr(text, "only root and members of group " GROUP " may use /tmp/"), "%s", text);
	stop(pid);
}

Test(control, the_client_says_when_there_is_no_gwd)
{
	struct buf body = {0};
	struct err err;
	cr_expect_eq(ask("version", &body, &err), -ENOENT);
	cr_expect(strstr(err.text, "no gwd answers on /tmp/"), "%s", err.text);
	stop(start("", 0));
	cr_expect_eq(ask("version", &body, &err), -ECONNREFUSED);
	cr_expect(strstr(err.text, "no gwd answers on /tmp/"), "%s", err.text);
	buf_free(&body);
}
