// SPDX-License-Identifier: GPL-2.0
/*
 * What the benchmark needs inside the kernel: a sender and a sink of UDP
 * datagrams, for with a system call for each one would measure system calls,
 * and the speed of the bare cipher.
 *
 * /proc/net/wg_bench takes a command, for the namespace of who opened it, and
 * says when it is read what came of the last one:
 *
 *   sink PORT			count and throw away what comes to this port
 *   send ADDRESS PORT BYTES RATE MILLISECONDS [SEGMENTS]
 *				RATE 0: as fast as possible; so many datagrams
 *				of BYTES at a time, by UDP_SEGMENT
 *				-> sent N received N ns T
 *   best ADDRESS PORT BYTES MILLISECONDS
 *				the highest rate without loss, by trials of
 *				this length
 *				-> best N
 *   cipher BYTES		-> seal NS open NS
 *
 * One measurement at a time; what is received is the sum over all sinks.
 */
#include <linux/delay.h>
#include <linux/inet.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>
#include <crypto/chacha20poly1305.h>

enum {
	WG_BENCH_BYTES_MAX = 60000,
	WG_BENCH_TRIALS = 8,
	/* The search ends when it knows the rate to one part in so many. */
	WG_BENCH_PRECISION = 32,
	/* A datagram in so many may be lost without being called a loss. */
	WG_BENCH_TOLERANCE = 1000,
};

/**
 * struct wg_bench_net - of a namespace
 * @sink: counts, NULL if there is none
 */
struct wg_bench_net {
	struct socket *sink;
};

/**
 * struct wg_bench_load - what is sent
 * @to: to whom
 * @bytes: payload of a datagram
 * @rate: datagrams a second, 0 for as many as there can be
 * @ms: for so long
 * @segments: so many datagrams are sent at once
 */
struct wg_bench_load {
	struct sockaddr_storage to;
	u32 bytes;
	u32 rate;
	u32 ms;
	u32 segments;
};

/**
 * struct wg_bench_result - what came of it
 * @sent: datagrams
 * @received: of these
 * @ns: from the first that was sent to the last that was received
 */
struct wg_bench_result {
	u64 sent;
	u64 received;
	u64 ns;
};

static unsigned int wg_bench_net_id;
static DEFINE_MUTEX(wg_bench_lock); /* protects wg_bench_answer and the sinks */
static char wg_bench_answer[96];
static DEFINE_PER_CPU(u64, wg_bench_count);
static u8 wg_bench_payload[WG_BENCH_BYTES_MAX];

static u64 wg_bench_received(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(wg_bench_count, cpu));
	return sum;
}

/* What the helpers for UDP tunnels take as their socket. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define wg_bench_tunnel(sock)	((sock)->sk)
#else
#define wg_bench_tunnel(sock)	(sock)
#endif

static int wg_bench_receive(struct sock *sk, struct sk_buff *skb)
{
	this_cpu_inc(wg_bench_count);
	consume_skb(skb);
	return 0;
}

static int wg_bench_sink(struct net *net, const char *words)
{
	struct wg_bench_net *bench = net_generic(net, wg_bench_net_id);
	struct udp_port_cfg port = { .family = AF_INET };
	struct udp_tunnel_sock_cfg cfg = {
		.encap_type = 1,
		.encap_rcv = wg_bench_receive,
	};
	unsigned int number;
	int err;

	if (bench->sink)
		return -EBUSY;
	if (kstrtouint(words, 0, &number) || !number || number > U16_MAX)
		return -EINVAL;
	port.local_udp_port = htons(number);
	err = udp_sock_create(net, &port, &bench->sink);
	if (err)
		return err;
	setup_udp_tunnel_sock(net, wg_bench_tunnel(bench->sink), &cfg);
	return 0;
}

/* Waits until nothing more comes, for a second at most; when the last came. */
static u64 wg_bench_settle(u64 expected, u64 *last)
{
	u64 end = ktime_get_ns() + NSEC_PER_SEC, now, seen, count;

	count = wg_bench_received();
	*last = ktime_get_ns();
	for (now = *last; count < expected && now < end; now = ktime_get_ns()) {
		usleep_range(500, 1000);
		seen = wg_bench_received();
		if (seen != count)
			*last = ktime_get_ns();
		else if (ktime_get_ns() - *last > 50 * NSEC_PER_MSEC)
			break;
		count = seen;
	}
	return count;
}

static int wg_bench_run(struct socket *sock, const struct wg_bench_load *load,
			struct wg_bench_result *result)
{
	u64 before = wg_bench_received(), start = ktime_get_ns(), now = start;
	u64 end = start + (u64)load->ms * NSEC_PER_MSEC, last;
	int err;

	result->sent = 0;
	while (now < end) {
		size_t len = load->bytes * load->segments;
		struct kvec vec = { wg_bench_payload, len };
		struct msghdr msg = {};

		if (fatal_signal_pending(current))
			return -EINTR;
		err = kernel_sendmsg(sock, &msg, &vec, 1, len);
		/* A full queue somewhere is what a flood runs into. */
		if (err < 0 && err != -ENOBUFS && err != -EAGAIN)
			return err;
		result->sent += load->segments;
		cond_resched();
		now = ktime_get_ns();
		/* Paced as pktgen does, by looking at the clock: a sender has
		 * work of its own to do between two datagrams.
		 */
		while (load->rate && now < end &&
		       result->sent * NSEC_PER_SEC > load->rate * (now - start)) {
			cond_resched();
			now = ktime_get_ns();
		}
	}
	result->received = wg_bench_settle(before + result->sent, &last) -
			   before;
	result->ns = last - start;
	return 0;
}

static bool wg_bench_lossless(const struct wg_bench_result *result)
{
	return result->received >=
	       result->sent - result->sent / WG_BENCH_TOLERANCE;
}

static u32 wg_bench_rate(const struct wg_bench_result *result)
{
	return div64_u64(result->received * NSEC_PER_SEC, result->ns ?: 1);
}

/* Bisects between nothing and what the sender can do. */
static int wg_bench_search(struct socket *sock, struct wg_bench_load *load,
			   u32 *best)
{
	struct wg_bench_result result;
	u32 low = 0, high;
	int err, i;

	*best = 0;
	load->rate = 0;
	err = wg_bench_run(sock, load, &result);
	if (err)
		return err;
	if (wg_bench_lossless(&result)) {
		*best = wg_bench_rate(&result);
		return 0;
	}
	high = div64_u64(result.sent * MSEC_PER_SEC, load->ms);
	for (i = 0; i < WG_BENCH_TRIALS &&
	     high - low > high / WG_BENCH_PRECISION; i++) {
		load->rate = low + (high - low) / 2;
		err = wg_bench_run(sock, load, &result);
		if (err)
			return err;
		if (wg_bench_lossless(&result)) {
			low = load->rate;
			*best = max(*best, wg_bench_rate(&result));
		} else {
			high = load->rate;
		}
	}
	return 0;
}

static int wg_bench_connect(struct net *net, struct wg_bench_load *load,
			    const char *address, u16 port,
			    struct socket **sock)
{
	int bytes = load->bytes, err;

	if (!load->bytes || !load->segments || load->segments > 64 ||
	    load->bytes > WG_BENCH_BYTES_MAX / load->segments)
		return -EINVAL;
	err = inet_pton_with_scope(net, AF_UNSPEC, address, NULL, &load->to);
	if (err)
		return err;
	/* At the same place for both families. */
	((struct sockaddr_in *)&load->to)->sin_port = htons(port);
	err = sock_create_kern(net, load->to.ss_family, SOCK_DGRAM, IPPROTO_UDP,
			       sock);
	if (err)
		return err;
	(*sock)->sk->sk_sndtimeo = HZ / 10;
	if (load->segments > 1)
		err = (*sock)->ops->setsockopt(*sock, SOL_UDP, UDP_SEGMENT,
					       KERNEL_SOCKPTR(&bytes),
					       sizeof(bytes));
	if (err)
		goto release;
	err = kernel_connect(*sock, (void *)&load->to,
			     load->to.ss_family == AF_INET ?
			     sizeof(struct sockaddr_in) :
			     sizeof(struct sockaddr_in6), 0);
	if (err)
		goto release;
	return 0;
release:
	sock_release(*sock);
	return err;
}

static int wg_bench_send(struct net *net, const char *words, bool search)
{
	struct wg_bench_load load = { .segments = 1 };
	struct wg_bench_result result;
	struct socket *sock;
	char address[48];
	u32 best;
	u16 port;
	int err, n;

	if (search)
		n = sscanf(words, "%47s %hu %u %u", address, &port, &load.bytes,
			   &load.ms) + 1;
	else
		n = sscanf(words, "%47s %hu %u %u %u %u", address, &port,
			   &load.bytes, &load.rate, &load.ms,
			   &load.segments);
	if (n < 5 || !load.ms || load.ms > 60000)
		return -EINVAL;
	err = wg_bench_connect(net, &load, address, port, &sock);
	if (err)
		return err;
	if (search) {
		err = wg_bench_search(sock, &load, &best);
		snprintf(wg_bench_answer, sizeof(wg_bench_answer), "best %u\n",
			 best);
	} else {
		err = wg_bench_run(sock, &load, &result);
		snprintf(wg_bench_answer, sizeof(wg_bench_answer),
			 "sent %llu received %llu ns %llu\n", result.sent,
			 result.received, result.ns);
	}
	sock_release(sock);
	return err;
}

/* Nanoseconds of one operation on @sealed, @len bytes and a tag; 0 if it fails. */
static u64 wg_bench_cipher_ns(u8 *plain, u8 *sealed, u32 len, bool open)
{
	static const u8 key[CHACHA20POLY1305_KEY_SIZE] = { 1 };
	u64 start = ktime_get_ns(), now;
	bool ok = true;
	u32 n = 0;

	do {
		local_bh_disable();
		if (open)
			ok &= chacha20poly1305_decrypt(plain, sealed, len + 16,
						       NULL, 0, 1, key);
		else
			chacha20poly1305_encrypt(sealed, plain, len, NULL, 0, 1,
						 key);
		local_bh_enable();
		now = ktime_get_ns();
		n++;
	} while (now - start < 50 * NSEC_PER_MSEC);
	return ok ? div_u64(now - start, n) : 0;
}

static int wg_bench_cipher(const char *words)
{
	u64 seal, open;
	u32 len;
	u8 *buffer;

	if (kstrtouint(words, 0, &len) || !len || len > WG_BENCH_BYTES_MAX)
		return -EINVAL;
	buffer = kvzalloc(2 * len + 16, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	seal = wg_bench_cipher_ns(buffer, buffer + len, len, false);
	open = wg_bench_cipher_ns(buffer, buffer + len, len, true);
	kvfree(buffer);
	if (!open)
		return -EIO;
	snprintf(wg_bench_answer, sizeof(wg_bench_answer),
		 "seal %llu open %llu\n", seal, open);
	return 0;
}

static int wg_bench_do(struct net *net, char *words)
{
	char *command = strsep(&words, " ");

	if (!words)
		return -EINVAL;
	if (!strcmp(command, "sink"))
		return wg_bench_sink(net, words);
	if (!strcmp(command, "send"))
		return wg_bench_send(net, words, false);
	if (!strcmp(command, "best"))
		return wg_bench_send(net, words, true);
	if (!strcmp(command, "cipher"))
		return wg_bench_cipher(words);
	return -EINVAL;
}

static int wg_bench_write(struct file *file, char *data, size_t size)
{
	int err;

	if (mutex_lock_interruptible(&wg_bench_lock))
		return -EINTR;
	wg_bench_answer[0] = 0;
	err = wg_bench_do(current->nsproxy->net_ns, strim(data));
	mutex_unlock(&wg_bench_lock);
	return err;
}

static int wg_bench_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&wg_bench_lock);
	seq_puts(seq, wg_bench_answer);
	mutex_unlock(&wg_bench_lock);
	return 0;
}

static int __net_init wg_bench_net_init(struct net *net)
{
	return proc_create_net_single_write("wg_bench", 0600, net->proc_net,
					    wg_bench_show, wg_bench_write,
					    NULL) ? 0 : -ENOMEM;
}

static void __net_exit wg_bench_net_exit(struct net *net)
{
	struct wg_bench_net *bench = net_generic(net, wg_bench_net_id);

	remove_proc_entry("wg_bench", net->proc_net);
	if (bench->sink)
		udp_tunnel_sock_release(wg_bench_tunnel(bench->sink));
}

static struct pernet_operations wg_bench_net_ops = {
	.init = wg_bench_net_init,
	.exit = wg_bench_net_exit,
	.id = &wg_bench_net_id,
	.size = sizeof(struct wg_bench_net),
};

static int __init wg_bench_init(void)
{
	return register_pernet_device(&wg_bench_net_ops);
}

static void __exit wg_bench_exit(void)
{
	unregister_pernet_device(&wg_bench_net_ops);
}

module_init(wg_bench_init);
module_exit(wg_bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Load for benchmarks");
