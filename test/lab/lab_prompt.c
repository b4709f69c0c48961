// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lab_prompt: starts the shell, then serves its commands one by one until it ends.
 *
 * A command arrives as its words, each ended by a zero byte, and is answered with one byte, its exit status,
 * and text. `labsh on PLACE COMMAND…` is the exception: the answer is the place's namespace, and labsh itself
 * goes there and becomes the command, so that it has the terminal.
 */
#include "test/lab/lab_prompt.h"

#include "test/lab/lab_command.h"
#include "test/lab/lab_die.h"
#include "test/lab/lab_priv.h"
#include "test/lab/lab_proc.h"
#include "test/lab/lab_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 4096, WORDS_MAX = 64 };

static const char variable[] = "LABSH";

static const char shell_start[] = "PS1='lab:router# '\n"
				  "echo 'This is the router of a lab. `labsh help` lists what you can do to "
				  "it; `exit` takes it all away.'\n";

static struct sockaddr_un socket_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
	return address;
}

/* ---- the lab's side ---- */

static int open_listener(struct lab *lab)
{
	const char *path = lab_path(lab, "labsh.sock");
	struct sockaddr_un address = socket_address(path);
	int fd = lab_must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	lab_must(bind(fd, (struct sockaddr *)&address, sizeof(address)), path);
	lab_must(listen(fd, 8), "listen");
	setenv(variable, path, 1);
	return fd;
}

/* `labsh` lies beside this program. */
static void set_path(void)
{
	char self[4096], path[8192];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *before = getenv("PATH");

	if (length <= 0)
		return;
	self[length] = '\0';
	snprintf(path, sizeof(path), "%s:%.4000s", dirname(self),
		 before ? before : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", path, 1);
}

static pid_t start_shell(struct lab *lab, const char *const argv[])
{
	const char *rc = lab_file(lab, "bashrc", "%s", shell_start);
	const char *const bash[] = {"bash", "--rcfile", rc, NULL};
	const char *const sh[] = {"sh", NULL};

	if (!argv)
		argv = access("/bin/bash", X_OK) == 0 ? bash : sh;
	return lab_spawn(&lab->router, argv, 0, 1, true);
}

/* Reads a request to its end and cuts it into words. Returns how many. */
static int read_words(int fd, char text[REQUEST_MAX], char *word[WORDS_MAX])
{
	size_t length = 0;
	ssize_t got;
	int count = 0;

	while (length < REQUEST_MAX - 1 && (got = read(fd, text + length, REQUEST_MAX - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	for (size_t at = 0; at < length && count < WORDS_MAX - 1; at += strlen(text + at) + 1)
		word[count++] = text + at;
	word[count] = NULL;
	return count;
}

static void serve(struct lab_commander *commander, int listener)
{
	char text[REQUEST_MAX], *word[WORDS_MAX], *answer;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t length;
	FILE *out = open_memstream(&answer, &length);
	int count;

	if (fd < 0 || !out)
		lab_die("serving a command: %s", strerror(errno));
	count = read_words(fd, text, word);
	fputc(0, out); /* the place of the status */
	int status = lab_command_run(commander, count, word, out);

	fclose(out);
	answer[0] = (char)status;
	send(fd, answer, length, MSG_NOSIGNAL);
	free(answer);
	close(fd);
}

int lab_prompt(struct lab *lab, const char *const argv[])
{
	int listener = open_listener(lab);
	struct lab_commander *commander = lab_command_open(lab);
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN);
	void (*quit)(int) = signal(SIGQUIT, SIG_IGN);
	struct pollfd wait[2] = {{listener, POLLIN, 0}, {-1, POLLIN, 0}};
	pid_t shell;

	set_path();
	shell = start_shell(lab, argv);
	wait[1].fd = lab_must((int)syscall(SYS_pidfd_open, shell, 0), "pidfd_open");
	while (!(wait[1].revents & POLLIN)) {
		if (poll(wait, 2, -1) > 0 && (wait[0].revents & POLLIN))
			serve(commander, listener);
	}
	close(wait[1].fd);
	close(listener);
	unsetenv(variable);
	lab_command_close(commander);
	signal(SIGINT, interrupt);
	signal(SIGQUIT, quit);
	return lab_spawn_wait(shell, -1);
}

/* ---- the shell's side ---- */

int lab_prompt_inside(void)
{
	return getenv(variable) != NULL;
}

/* Sends the words; returns the connection, from which the answer comes. */
static int send_words(int argc, char *const argv[])
{
	struct sockaddr_un address = socket_address(getenv(variable));
	int fd = lab_must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	lab_must(connect(fd, (struct sockaddr *)&address, sizeof(address)), "the lab of this shell");
	for (int i = 0; i < argc; i++)
		lab_must((int)write(fd, argv[i], strlen(argv[i]) + 1), "the lab of this shell");
	shutdown(fd, SHUT_WR);
	return fd;
}

/* Goes to a place and becomes a command there. */
static int go_to(char *place, char *const argv[])
{
	char *const where[] = {(char[]){"where"}, place, NULL};
	int fd = send_words(2, where);
	FILE *in = fdopen(fd, "r");
	char path[128] = "";
	int status = fgetc(in), ns;

	if (!fgets(path, sizeof(path), in))
		path[0] = '\0';
	if (status != 0) {
		fputs(path, stderr);
		return status;
	}
	path[strcspn(path, "\n")] = '\0';
	ns = lab_must(open(path, O_RDONLY | O_CLOEXEC), path);
	lab_must(setns(ns, CLONE_NEWNET), place);
	execvp(argv[0], argv);
	fprintf(stderr, "labsh: %s: %s\n", argv[0], strerror(errno));
	return 127;
}

int lab_prompt_send(int argc, char *const argv[])
{
	char text[4096];
	unsigned char status = 1;
	ssize_t length;
	int fd;

	if (argc >= 3 && !strcmp(argv[0], "on"))
		return go_to(argv[1], argv + 2);
	fd = send_words(argc, argv);
	if (read(fd, &status, 1) != 1)
		lab_die("the lab of this shell has gone");
	while ((length = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)length, status ? stderr : stdout);
	close(fd);
	return status;
}
