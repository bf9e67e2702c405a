// SPDX-License-Identifier: GPL-2.0
/* What collides, on a host that is a namespace of our own. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base64.h"
#include "../host.h"
#include "tap.h"

#define N(a)	(sizeof(a) / sizeof(*(a)))
#define OWN	"uMO02/85awP79m5tZba7aGYqw5kEoaFX4v2+xx5l4UU="
#define OWNPUB	"KC/b0u8agKRxExBfspmQnymoaqXCd63ohsONLMHLPhY="
#define K1	"//////////////////////////////////////////8="
#define K2	"++++++++++++++++++++++++++++++++++++++++++8="
#define HEAD	"[Interface]\nPrivateKey = " OWN "\nAddress = 10.77.0.2/24\n"
#define PEER1	"[Peer]\n# Name = one\nPublicKey = " K1 "\n"
#define PEER2	"[Peer]\n# Name = two\nPublicKey = " K2 "\n"

/* What the check says about a file of an interface; empty if it is right. */
static const char *test_says(struct tap_run *run, struct rtnl *rtnl,
			     const char *name, const char *file)
{
	struct text text = { 0 };
	struct quick *quick;
	int ret;

	text_put(&text, file);
	ret = quick_parse(&run->ctx, name, "x", &text, &quick);
	text_free(&text);
	if (ret)
		return "(does not parse)";
	run->ctx.error[0] = '\0';
	ret = host_check(&run->ctx, rtnl, quick);
	quick_free(quick);
	return ret ? run->ctx.error : "";
}

static void test_right(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       const char *name, const char *file, const char *what)
{
	const char *said = test_says(run, rtnl, name, file);

	tap_ok(tap, !*said, "%s: %s", what, said);
}

static void test_wrong(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       const char *name, const char *file, const char *want)
{
	const char *said = test_says(run, rtnl, name, file);

	tap_ok(tap, strstr(said, want) && !strchr(said, '\n'), "says \"%s\"",
	       want);
	if (!strstr(said, want))
		printf("# got: %s\n", said);
}

static void test_check(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	static const char *const right[] = {
		HEAD PEER1 "AllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = 203.0.113.5:1\n",
		HEAD PEER1 "AllowedIPs = 10.77.0.1/32\n" PEER2 "AllowedIPs = 10.77.0.3/32\n",
		HEAD PEER1 "AllowedIPs = 10.9.0.0/16, 10.9.0.0/16\n" PEER2 "AllowedIPs = 10.9.0.0/17\n",
		/* Larger than a network of ours, which stays where it is. */
		HEAD PEER1 "AllowedIPs = 192.168.0.0/16\n",
		HEAD "Table = off\n" PEER1 "AllowedIPs = 192.168.7.0/24\n",
		HEAD "ListenPort = 7778\n",
		HEAD PEER1 "AllowedIPs = 172.0.0.0/8\nEndpoint = 172.20.0.9:1\n",
		HEAD "Table = 5\n" PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n",
		HEAD "Table = off\n" PEER1 "AllowedIPs = 0.0.0.0/1\nEndpoint = 1.2.3.4:1\n",
		/* A route to it alone, by a gateway. */
		HEAD PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.77:1\n",
		HEAD "Table = main\n" PEER1 "AllowedIPs = 0.0.0.0/0\nEndpoint = 203.0.113.77:1\n",
		/* Marked, and a rule for the mark. */
		HEAD "FwMark = 0x55\n" PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n",
		HEAD PEER1 "AllowedIPs = 2001:db8:1::/48\nEndpoint = [2001:db8::5]:1\n",
		HEAD PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = vpn.example.org:1\n",
	};
	static const struct {
		const char *file;
		const char *want;
	} wrong[] = {
		{ HEAD "[Peer]\nPublicKey = " OWNPUB "\n", "peer `" OWNPUB "' has this host's own public key" },
		{ HEAD PEER1 "[Peer]\n# Name = again\nPublicKey = " K1 "\n", "have the same public key" },
		{ HEAD PEER1 "AllowedIPs = 10.9.0.0/16\n" PEER2 "AllowedIPs = 10.8.0.0/16, 10.9.255.1/16\n",
		  "have the same AllowedIPs 10.9.0.0/16" },
		{ HEAD PEER1 "AllowedIPs = ::/0\n" PEER2 "AllowedIPs = fd00::/8, ::/0\n", "have the same AllowedIPs ::/0" },
		{ "[Interface]\nAddress = 192.168.7.9/24\n", "own address 192.168.7.9/24 overlaps 192.168.7.0/24 on e0" },
		{ "[Interface]\nAddress = 192.168.0.1/16\n", "own address 192.168.0.1/16 overlaps 192.168.7.0/24 on e0" },
		{ "[Interface]\nAddress = 192.168.7.9/32\nTable = off\n", "own address 192.168.7.9/32 overlaps 192.168.7.0/24 on e0" },
		{ HEAD PEER1 "AllowedIPs = 192.168.7.0/24\n", "AllowedIPs 192.168.7.0/24 of peer `one' overlaps 192.168.7.0/24 on e0" },
		{ HEAD PEER1 "AllowedIPs = 172.20.5.0/24\n", "AllowedIPs 172.20.5.0/24 of peer `one' overlaps 172.20.0.0/16 on e0" },
		{ HEAD PEER1 "AllowedIPs = fd07::1/128\n", "AllowedIPs fd07::1/128 of peer `one' overlaps fd07::/64 on e0" },
		{ HEAD "Table = main\n" PEER1 "AllowedIPs = 192.168.7.0/24\n", "overlaps 192.168.7.0/24 on e0" },
		{ HEAD "ListenPort = 7777\n", "ListenPort: 7777 is in use" },
		{ HEAD "ListenPort = 7779\n", "ListenPort: 7779 is in use" },
		{ HEAD PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n",
		  "endpoint 203.0.113.5:1 of peer `one' is inside AllowedIPs 203.0.113.0/24" },
		{ HEAD PEER1 "AllowedIPs = 10.9.0.0/16\nEndpoint = 203.0.113.5:1\n" PEER2 "AllowedIPs = 203.0.113.5/32\n",
		  "endpoint 203.0.113.5:1 of peer `one' is inside AllowedIPs 203.0.113.5/32" },
		{ HEAD PEER1 "AllowedIPs = 0.0.0.0/1, 128.0.0.0/1\nEndpoint = 203.0.113.5:1\n", "is inside AllowedIPs 128.0.0.0/1" },
		{ HEAD PEER1 "AllowedIPs = 2001:db8::/32\nEndpoint = [2001:db8::5]:1\n", "is inside AllowedIPs 2001:db8::/32" },
		{ HEAD PEER1 "AllowedIPs = 0.0.0.0/0, 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n", "is inside AllowedIPs 203.0.113.0/24" },
		{ HEAD "Table = main\n" PEER1 "AllowedIPs = 0.0.0.0/0\nEndpoint = 203.0.113.5:1\n", "is inside AllowedIPs 0.0.0.0/0" },
		{ HEAD "Table = off\n" PEER1 "Endpoint = 10.77.0.200:1\n", "is inside own network 10.77.0.0/24" },
		/* A mark that no rule asks for; one that is asked for too late. */
		{ HEAD "FwMark = 0x56\n" PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n", "is inside AllowedIPs" },
		{ HEAD "FwMark = 0x57\n" PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n", "is inside AllowedIPs" },
	};
	size_t i;

	for (i = 0; i < N(right); i++)
		test_right(tap, run, rtnl, "wg0", right[i], "is right");
	for (i = 0; i < N(wrong); i++)
		test_wrong(tap, run, rtnl, "wg0", wrong[i].file,
			   wrong[i].want);
}

/* A userspace implementation as far as one answer goes. */
static pid_t test_device(const char *dir, const char *name, const char *answer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), conn;
	char request[100];
	pid_t pid;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.sock", dir, name);
	unlink(sun.sun_path);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) || listen(fd, 9))
		abort();
	pid = fork();
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!pid) {
		conn = accept(fd, NULL, NULL);
		if (conn < 0)
			_exit(1);
		/* Who only looks whether we are here closes at once. */
		if (read(conn, request, sizeof(request)) > 0 &&
		    write(conn, answer, strlen(answer)) < 0)
			_exit(1);
		close(conn);
	}
	close(fd);
	return pid;
}

static void test_gone(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The same file again, while its interface is there. */
static void test_again(struct tap *tap, struct tap_run *run, struct rtnl *rtnl,
		       const char *dir)
{
	static const char file[] =
		HEAD "ListenPort = 7777\n" PEER1 "AllowedIPs = 10.9.0.0/16, 203.0.113.0/24\nEndpoint = 203.0.113.77:1\n";
	static const char elsewhere[] =
		HEAD PEER1 "AllowedIPs = 203.0.113.0/24\nEndpoint = 203.0.113.5:1\n";
	pid_t pid;

	if (system("ip link add wg0 type veth peer name p0 && ip link set wg0 up && ip link set p0 up && "
		   "ip addr add 10.77.0.2/24 dev wg0 && ip route add 10.9.0.0/16 dev wg0 && ip route add 203.0.113.0/24 dev wg0 && "
		   /* What it had before, and policy routing. */
		   "ip route add 203.0.113.4/30 dev wg0 && ip route add default dev wg0 table 51820 && "
		   "ip rule add not fwmark 51820 lookup 51820 priority 90"))
		return;
	test_wrong(tap, run, rtnl, "wg0", file, "ListenPort: 7777 is in use");
	pid = test_device(dir, "wg0", "listen_port=7777\nerrno=0\n\n");
	test_right(tap, run, rtnl, "wg0", file, "not with itself");
	test_wrong(tap, run, rtnl, "wg0", elsewhere, "is inside AllowedIPs");
	test_wrong(tap, run, rtnl, "wg1", HEAD, "own address 10.77.0.2/24 overlaps 10.77.0.0/24 on wg0");
	test_wrong(tap, run, rtnl, "wg1", "[Interface]\nListenPort = 7777\n", "ListenPort: 7777 is in use");
	if (system("ip link set wg0 down"))
		return;
	test_wrong(tap, run, rtnl, "wg0", file, "ListenPort: 7777 is in use");
	test_gone(pid);
	if (system("ip link set wg0 up"))
		return;
	pid = test_device(dir, "wg0", "listen_port=7779\nerrno=0\n\n");
	test_wrong(tap, run, rtnl, "wg0", file, "ListenPort: 7777 is in use");
	test_gone(pid);
	if (system("ip link del wg0"))
		return;
	test_right(tap, run, rtnl, "wg1", HEAD, "nothing stays");
}

static void test_same_key(struct tap *tap, struct tap_run *run,
			  struct rtnl *rtnl, const char *dir)
{
	uint8_t key[WG_KEY_LEN];
	char answer[200], hex[HEX_KEY_SIZE];
	pid_t pid;

	base64_decode_key(key, OWN);
	hex_encode_key(hex, key);
	snprintf(answer, sizeof(answer), "private_key=%s\nerrno=0\n\n", hex);
	pid = test_device(dir, "other", answer);
	test_wrong(tap, run, rtnl, "wg0", HEAD,
		   "interface `other' has the same private key");
	tap_ok(tap, !strstr(run->ctx.error, OWN), "which is not shown");
	test_right(tap, run, rtnl, "other", HEAD, "its own");
	test_right(tap, run, rtnl, "wg0", "[Interface]\n", "no key");
	test_gone(pid);
}

static bool test_has(struct rtnl *rtnl, struct tap_run *run,
		     const char *except, const char *text)
{
	struct cidr_list list = { 0 };
	unsigned int found = 0;
	struct cidr cidr;
	size_t i;

	cidr_parse(&run->ctx, "x", text, &cidr);
	host_networks(&run->ctx, rtnl, except, &list);
	for (i = 0; i < list.count; i++)
		found += cidr_equal(&list.all[i], &cidr);
	cidr_list_free(&list);
	return found == 1;
}

static void test_networks(struct tap *tap, struct tap_run *run,
			  struct rtnl *rtnl)
{
	static const char *const in[] = {
		"192.168.7.0/24", "172.20.0.0/16", "fd07::/64",
		"2001:db8:77::/48",
	};
	static const char *const out[] = {
		"127.0.0.0/8", "::1/128", "fe80::/64", "ff00::/8", "0.0.0.0/0",
		"0.0.0.0/1", "128.0.0.0/1", "fc00::/7", "10.99.0.0/16",
		"198.18.0.0/15",
	};
	size_t i;

	if (system("ip route add 0.0.0.0/1 via 192.168.7.2 && ip route add 128.0.0.0/1 via 192.168.7.2 && "
		   "ip route add fc00::/7 via fd07::9 && ip route add 2001:db8:77::/48 via fd07::9 && ip route add blackhole 10.99.0.0/16 && "
		   "ip route add 198.18.0.0/15 via 192.168.7.2 table 9"))
		return;
	for (i = 0; i < N(in); i++)
		tap_ok(tap, test_has(rtnl, run, NULL, in[i]), "is in %s",
		       in[i]);
	for (i = 0; i < N(out); i++)
		tap_ok(tap, !test_has(rtnl, run, NULL, out[i]), "not in %s",
		       out[i]);
	tap_ok(tap, !test_has(rtnl, run, "e0", in[0]) &&
	       !test_has(rtnl, run, "e0", in[1]), "but for an interface");
	tap_ok(tap, test_has(rtnl, run, "no-such", in[0]), "that is not there");
	test_right(tap, run, rtnl, "wg0",
		   HEAD PEER1 "AllowedIPs = 10.5.0.0/16, fd05::/64\n",
		   "beside default routes in pieces");
	if (system("ip route del 0.0.0.0/1 && ip route del 128.0.0.0/1"))
		return;
}

/* A route by several interfaces is of none. */
static void test_several(struct tap *tap, struct tap_run *run,
			 struct rtnl *rtnl)
{
	if (system("ip route add 10.66.0.0/16 nexthop via 192.168.7.2 nexthop via 192.168.7.3 2>/dev/null")) {
		printf("# no routes with several ways here\n");
		return;
	}
	tap_ok(tap, test_has(rtnl, run, "e0", "10.66.0.0/16"), "several ways");
	test_wrong(tap, run, rtnl, "wg0", "[Interface]\nAddress = 10.66.3.1/24\n",
		   "own address 10.66.3.1/24 overlaps 10.66.0.0/16 on several");
}

static void test_wan(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	static const struct {
		const char *addr;
		enum host_wan want;
	} table[] = {
		{ "10.200.0.2", HOST_WAN_PRIVATE },
		{ "100.64.9.2", HOST_WAN_SHARED },
		{ "100.127.255.2", HOST_WAN_SHARED },
		{ "100.128.0.2", HOST_WAN_PUBLIC },
		{ "172.31.0.2", HOST_WAN_PRIVATE },
		{ "192.168.9.2", HOST_WAN_PRIVATE },
		{ "192.0.0.2", HOST_WAN_DSLITE },
		{ "198.51.100.2", HOST_WAN_PUBLIC },
	};
	struct cidr addr;
	char line[300];
	size_t i;

	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET6, &addr) ==
	       HOST_WAN_NONE, "no way out by IPv6");
	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
	       HOST_WAN_NONE && host_wan_words(HOST_WAN_NONE), "no way out");
	for (i = 0; i < N(table); i++) {
		snprintf(line, sizeof(line), "ip addr flush dev w0; ip addr add %s/30 dev w0; ip route replace default dev w0",
			 table[i].addr);
		if (system(line))
			return;
		tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
		       table[i].want && !host_wan_words(table[i].want) ==
		       (table[i].want == HOST_WAN_PUBLIC), "%s: %s",
		       table[i].addr, host_wan_words(table[i].want));
		cidr_addr_text(line, &addr);
		tap_same(tap, line, table[i].addr, "its address");
	}
	if (system("ip addr add 2001:db8:5::2/64 dev w0 nodad && ip route add default via 2001:db8:5::1 dev w0"))
		return;
	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET6, &addr) ==
	       HOST_WAN_PUBLIC, "IPv6");
	cidr_addr_text(line, &addr);
	tap_same(tap, line, "2001:db8:5::2", "its address");
}

/* What a tunnel to the provider's translator has for an address says little. */
static void test_dslite(struct tap *tap, struct tap_run *run,
			struct rtnl *rtnl)
{
	struct cidr addr;

	if (system("ip link add t0 type ip6tnl mode ipip6 local 2001:db8:5::2 remote 2001:db8:5::1 2>/dev/null && "
		   "ip link set t0 up && ip addr add 10.201.0.2/24 dev t0 && ip route replace default dev t0")) {
		printf("# no ip6tnl here\n");
		return;
	}
	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
	       HOST_WAN_DSLITE && strstr(host_wan_words(HOST_WAN_DSLITE),
					 "DS-Lite"), "by a tunnel over IPv6");
	if (system("ip addr add 198.51.100.9/32 dev t0 && ip route replace default dev t0 src 198.51.100.9"))
		return;
	tap_ok(tap, host_wan(&run->ctx, rtnl, AF_INET, &addr) ==
	       HOST_WAN_PUBLIC, "with a public address of its own");
}

static void test_pick(struct tap *tap, struct tap_run *run, struct rtnl *rtnl)
{
	struct cidr_list taken = { 0 }, avoid = { 0 };
	struct cidr v4, v6, net;
	char text[CIDR_TEXT];
	unsigned int good = 0, i;

	host_networks(&run->ctx, rtnl, NULL, &taken);
	/* Half of all there is. */
	cidr_list_parse(&run->ctx, "x", "10.0.0.0/9", &avoid);
	for (i = 0; i < 50; i++) {
		host_pick_tunnel(&run->ctx, rtnl, NULL, &avoid, &v4, &v6);
		net = cidr_network(&v4);
		good += v4.len == 24 && cidr_equal(&net, &v4) &&
			!cidr_list_overlap(&taken, &v4) &&
			!cidr_list_overlap(&avoid, &v4) && v6.len == 64;
	}
	cidr_text(text, &v6);
	tap_ok(tap, good == 50 && !strncmp(text, "fd", 2),
	       "free networks, like %s", text);
	cidr_list_parse(&run->ctx, "x", "10.128.0.0/9", &avoid);
	tap_ok(tap, host_pick_tunnel(&run->ctx, rtnl, NULL, &avoid, &v4,
				     &v6) < 0, "none left: %s",
	       run->ctx.error);
	cidr_list_free(&taken);
	cidr_list_free(&avoid);
	tap_ok(tap, host_pick_port(7777) == 7778, "the next free port");
	tap_ok(tap, host_pick_port(7779) == 7780, "IPv6 counts");
	tap_ok(tap, host_pick_port(65535) == 65535, "the last");
}

/* Somebody who has a port. */
static int test_hold(int family, uint16_t port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port),
	};
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET)
		bind(fd, (struct sockaddr *)&in, sizeof(in));
	else
		bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	return fd;
}

static bool test_prepare(void)
{
	return tap_namespace(CLONE_NEWNET) &&
	       !system("ip link set lo up && ip link add e0 type veth peer name e1 && ip link set e0 up && ip link set e1 up && "
		       "ip link add w0 type veth peer name w1 && ip link set w0 up && ip link set w1 up && "
		       "ip addr add 192.168.7.1/24 dev e0 && ip addr add fd07::5/64 dev e0 nodad && "
		       "ip route add 172.20.0.0/16 via 192.168.7.2 && "
		       "ip route add 203.0.113.77/32 via 192.168.7.2 && "
		       "ip route add default via 192.168.7.2 table 85 && ip route add default via 192.168.7.2 table 87 && "
		       "ip rule add fwmark 0x99 lookup main priority 50 && ip rule add fwmark 0x55 lookup 85 priority 100 && ip rule add fwmark 0x57 lookup 87 priority 40000");
}

int main(void)
{
	char dir[] = "/tmp/wgpeer-test.XXXXXX", path[200];
	struct tap tap = { .suite = "host" };
	struct tap_run run;
	struct rtnl *rtnl;
	int fds[2];

	if (!test_prepare())
		return tap_skip(&tap, "no network namespace");
	if (!mkdtemp(dir))
		return 1;
	tap_run_begin(&run);
	run.ctx.rundir = dir;
	fds[0] = test_hold(AF_INET, 7777);
	fds[1] = test_hold(AF_INET6, 7779);
	rtnl_open(&run.ctx, &rtnl);
	test_check(&tap, &run, rtnl);
	test_again(&tap, &run, rtnl, dir);
	test_same_key(&tap, &run, rtnl, dir);
	test_networks(&tap, &run, rtnl);
	test_several(&tap, &run, rtnl);
	test_wan(&tap, &run, rtnl);
	test_dslite(&tap, &run, rtnl);
	test_pick(&tap, &run, rtnl);
	rtnl_close(rtnl);
	close(fds[0]);
	close(fds[1]);
	tap_run_end(&run);
	snprintf(path, sizeof(path), "%s/wg0.sock", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/other.sock", dir);
	unlink(path);
	rmdir(dir);
	return tap_end(&tap);
}
