// SPDX-License-Identifier: GPL-2.0
/* Endpoints: which failures are tried again, how often, after how long. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../resolve.h"
#include "tap.h"

/* A resolver that fails so often and then answers 192.0.2.1. */
static struct {
	int err;
	unsigned int failures;
	unsigned int asked;
	unsigned int waits;
	unsigned int waited[32];
} fake;

static int fake_getaddrinfo(const char *host, const char *service,
			    const struct addrinfo *hints,
			    struct addrinfo **res)
{
	(void)host;
	if (fake.asked++ < fake.failures)
		return fake.err;
	return getaddrinfo("192.0.2.1", service, hints, res);
}

static void fake_pause(unsigned int ms)
{
	if (fake.waits < sizeof(fake.waited) / sizeof(*fake.waited))
		fake.waited[fake.waits] = ms;
	fake.waits++;
}

/* One attempt at "host:5" with this resolver; the result of resolving. */
static int attempt(int err, unsigned int failures, const char *retries)
{
	union model_endpoint ep;
	struct tap_run run;
	int ret;

	memset(&fake, 0, sizeof(fake));
	fake.err = err;
	fake.failures = failures;
	if (retries)
		setenv("WG_ENDPOINT_RESOLUTION_RETRIES", retries, 1);
	else
		unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
	tap_run_begin(&run);
	run.ctx.getaddrinfo = fake_getaddrinfo;
	run.ctx.pause_ms = fake_pause;
	ret = resolve_endpoint(&run.ctx, "host:5", &ep);
	if (!ret && (ep.sa.sa_family != AF_INET || ntohs(ep.in.sin_port) != 5))
		ret = 1;
	tap_run_end(&run);
	return ret;
}

static void test_policy(struct tap *tap)
{
	static const int permanent[] = {
		EAI_NONAME, EAI_FAIL, EAI_NODATA, EAI_SERVICE,
	};
	size_t i;

	tap_ok(tap, !attempt(0, 0, NULL) && fake.asked == 1, "first time");
	for (i = 0; i < sizeof(permanent) / sizeof(*permanent); i++)
		tap_ok(tap, attempt(permanent[i], 99, NULL) < 0 &&
		       fake.asked == 1 && !fake.waits, "%s is final",
		       gai_strerror(permanent[i]));
	tap_ok(tap, attempt(EAI_AGAIN, 99, NULL) < 0 && fake.asked == 16 &&
	       fake.waits == 15, "15 retries are the default");
	tap_ok(tap, attempt(EAI_AGAIN, 99, "") < 0 && fake.asked == 16,
	       "an empty number is none");
	tap_ok(tap, attempt(EAI_AGAIN, 99, "0") < 0 && fake.asked == 1,
	       "no retries");
	tap_ok(tap, attempt(EAI_AGAIN, 99, "3") < 0 && fake.asked == 4,
	       "three retries");
	tap_ok(tap, !attempt(EAI_AGAIN, 3, "3") && fake.asked == 4,
	       "the last one may succeed");
	tap_ok(tap, !attempt(EAI_AGAIN, 31, "infinity") && fake.asked == 32,
	       "infinity goes on");
	tap_ok(tap, fake.waited[0] == 1000 && fake.waited[1] == 1200 &&
	       fake.waited[2] == 1440, "waits grow by a fifth");
	tap_ok(tap, fake.waited[16] < 20000 && fake.waited[17] == 20000 &&
	       fake.waited[30] == 20000, "and stop at 20 seconds");
	tap_ok(tap, attempt(0, 0, "x") < 0 && !fake.asked, "x is no number");
	tap_ok(tap, attempt(0, 0, "-1") < 0 && !fake.asked, "-1 is none");
	unsetenv("WG_ENDPOINT_RESOLUTION_RETRIES");
}

static void test_numeric(struct tap *tap)
{
	static const struct {
		const char *text;
		const char *want;
	} endpoints[] = {
		{ "192.0.2.1:51820", "192.0.2.1:51820" },
		{ "[2001:db8::1]:65535", "[2001:db8::1]:65535" },
		{ "2001:db8::1:5", "[2001:db8::1]:5" },
		{ "[fe80::1%lo]:5", "[fe80::1%lo]:5" },
		{ "192.0.2.1:65536", NULL },
		{ "192.0.2.1:99999999999", NULL },
		{ "192.0.2.1:x", NULL },
		{ "192.0.2.1:+70000", NULL },
		{ "192.0.2.1:-4294897296", NULL },
		{ "192.0.2.1: 5", NULL },
		{ ":5", NULL },
	};
	char text[MODEL_ENDPOINT_TEXT];
	union model_endpoint ep;
	struct tap_run run;
	size_t i;

	tap_run_begin(&run);
	for (i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
		int ret = resolve_endpoint(&run.ctx, endpoints[i].text, &ep);

		if (!endpoints[i].want)
			tap_ok(tap, ret < 0 && strstr(run.ctx.error,
						      endpoints[i].text),
			       "refuses %s: %s", endpoints[i].text,
			       run.ctx.error);
		else if (tap_ok(tap, !ret && model_endpoint_text(text, &ep),
				"resolves %s", endpoints[i].text))
			tap_same(tap, text, endpoints[i].want, "and back");
	}
	tap_run_end(&run);
}

int main(void)
{
	struct tap tap = { .suite = "resolve" };

	test_policy(&tap);
	test_numeric(&tap);
	return tap_end(&tap);
}
