// SPDX-License-Identifier: GPL-2.0
/* status: what runs, beside its file. (layer 8) */
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "file.h"
#include "ipc.h"
#include "quick.h"
#include "rtnl.h"
#include "term.h"
#include "text.h"
#include "tunnel.h"
#include "tunnel_view.h"
#include "up.h"

/* Everything that is shown, read before anything is printed. */
struct status {
	struct ctx *ctx;
	struct up up;
	struct quick *quick;
	struct model_device *dev;
	struct rtnl_link link;
	struct cidr_list addresses;
	struct quick_words differs;
	struct tunnel_view in_file;
	struct tunnel_view in_kernel;
};

/* --- gathering ------------------------------------------------------------ */

static int status_take_addr(const struct rtnl_addr *addr, void *data)
{
	return cidr_list_add(data, &addr->addr);
}

static void status_differs(void *data, const char *line)
{
	struct status *s = data;
	char **all, *copy = strdup(line);

	all = reallocarray(s->differs.all, s->differs.count + 1, sizeof(*all));
	if (all)
		s->differs.all = all;
	if (all && copy)
		all[s->differs.count++] = copy;
	else
		free(copy);
}

static int status_link(struct status *s)
{
	struct rtnl *rtnl;
	int ret;

	ret = rtnl_open(s->ctx, &rtnl);
	if (ret)
		return ret;
	ret = rtnl_link_find(rtnl, s->up.name, &s->link);
	if (!ret)
		ret = rtnl_addrs(rtnl, s->link.index, status_take_addr,
				 &s->addresses);
	rtnl_close(rtnl);
	return ret;
}

static int status_gather(struct status *s)
{
	int ret;

	if (file_exists(s->up.path)) {
		ret = quick_read(s->ctx, s->up.name, s->up.path, &s->quick);
		if (ret)
			return ret;
	}
	if (s->quick && tunnel_view_make(&s->in_file, s->quick->dev))
		return ctx_fail(s->ctx, -ENOMEM, "Out of memory");
	if (!tunnel_is_up(s->ctx, s->up.name))
		return VERB_NOT_UP;
	ret = ipc_get(s->ctx, s->up.name, &s->dev);
	if (!ret && tunnel_view_make(&s->in_kernel, s->dev))
		ret = ctx_fail(s->ctx, -ENOMEM, "Out of memory");
	if (!ret)
		ret = status_link(s);
	if (!ret && s->quick)
		ret = tunnel_differences(s->ctx, s->quick, status_differs, s);
	return ret;
}

static const struct model_peer *status_find(const struct tunnel_view *view,
					    const struct model_peer *peer)
{
	const struct tunnel_view_pair *pair = tunnel_view_find(view, peer);

	return pair ? pair->peer : NULL;
}

static const char *status_role(const struct status *s)
{
	return s->quick ? quick_setting(s->quick, 0, "role") : NULL;
}

/* What an apply would not mend: another peer has the same allowed IPs. */
static bool status_is_robbed(const struct model_peer *file,
			     const struct model_peer *now)
{
	return file && file->first && now && !now->first;
}

static void status_put_nets(struct text *text, const struct cidr_list *list)
{
	char cidr[CIDR_TEXT];
	size_t i;

	for (i = 0; i < list->count; i++) {
		cidr_text(cidr, &list->all[i]);
		text_printf(text, "%s%s", i ? ", " : "", cidr);
	}
}

static void status_put_allowedips(struct text *text,
				  const struct model_peer *peer)
{
	const struct model_allowedip *aip;
	char ip[MODEL_ALLOWEDIP_TEXT];

	for (aip = peer->first; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		text_printf(text, "%s/%u%s", ip, aip->cidr,
			    aip->next ? ", " : "");
	}
}

/* --- for people ----------------------------------------------------------- */

static void status_line(const struct status *s, const char *label,
			const char *value)
{
	fprintf(s->ctx->out, "  %s: %s\n", label, value);
}

static void status_show_interface(const struct status *s)
{
	struct text nets = { 0 };
	char key[BASE64_KEY_SIZE];
	FILE *out = s->ctx->out;

	fprintf(out, "interface: %s\n", s->up.name);
	status_line(s, "file", s->quick ? s->up.path : "(none)");
	if (status_role(s))
		status_line(s, "role", status_role(s));
	status_line(s, "state", s->link.flags & IFF_UP ? "up" :
		    "there, but switched off");
	base64_encode_key(key, s->dev->public_key);
	status_line(s, "public key",
		    key_is_zero(s->dev->public_key) ? "(none)" : key);
	fprintf(out, "  listening port: %u\n", s->dev->listen_port);
	if (s->dev->fwmark)
		fprintf(out, "  mark: 0x%" PRIx32 "\n", s->dev->fwmark);
	status_put_nets(&nets, &s->addresses);
	status_line(s, "addresses", nets.len ? text_string(&nets) : "(none)");
	fprintf(out, "  mtu: %u\n", s->link.mtu);
	text_free(&nets);
}

static void status_show_times(const struct status *s,
			      const struct model_peer *now)
{
	struct term term = { .out = s->ctx->out };
	int64_t age = s->ctx->now() - now->handshake_sec;

	if (!now->handshake_sec) {
		status_line(s, "latest handshake", "never");
		return;
	}
	fputs("  latest handshake: ", s->ctx->out);
	if (age > 0)
		term_duration(&term, age);
	fprintf(s->ctx->out, "%s\n  transfer: ", age > 0 ? " ago" : "now");
	term_bytes(&term, now->rx_bytes);
	fputs(" received, ", s->ctx->out);
	term_bytes(&term, now->tx_bytes);
	fputs(" sent\n", s->ctx->out);
}

/* One of the file, or of the kernel, or of both. */
static void status_show_peer(const struct status *s,
			     const struct model_peer *file,
			     const struct model_peer *now)
{
	const struct model_peer *any = now ? now : file;
	char text[MODEL_ENDPOINT_TEXT];
	struct text nets = { 0 };

	base64_encode_key(text, any->public_key);
	fprintf(s->ctx->out, "\npeer: %s\n",
		file && file->name ? file->name : text);
	if (file && file->name)
		status_line(s, "public key", text);
	if (!now)
		status_line(s, "state", "in the file, but not in the kernel");
	if (!file)
		status_line(s, "state", s->quick ?
			    "in the kernel, but not in the file" :
			    "there is no file");
	if (now && model_endpoint_text(text, &now->endpoint))
		status_line(s, "endpoint", text);
	else
		status_line(s, "endpoint", "(none)");
	if (file && file->host)
		status_line(s, "endpoint of the file", file->host);
	status_put_allowedips(&nets, any);
	if (status_is_robbed(file, now))
		status_line(s, "allowed ips",
			    "configured but empty in the kernel: other peers of the file have the same");
	else
		status_line(s, "allowed ips",
			    nets.len ? text_string(&nets) : "(none)");
	text_free(&nets);
	if (now)
		status_show_times(s, now);
}

static void status_show(const struct status *s)
{
	const struct model_peer *peer;
	size_t i;

	status_show_interface(s);
	for (peer = s->quick ? s->quick->dev->first : NULL; peer;
	     peer = peer->next)
		status_show_peer(s, peer, status_find(&s->in_kernel, peer));
	for (peer = s->dev->first; peer; peer = peer->next) {
		if (!status_find(&s->in_file, peer))
			status_show_peer(s, NULL, peer);
	}
	if (s->differs.count)
		fprintf(s->ctx->out, "\ndiffers from the file; `%s apply' would:\n",
			s->ctx->prog);
	for (i = 0; i < s->differs.count; i++)
		fprintf(s->ctx->out, "  %s\n", s->differs.all[i]);
}

/* --- for programs --------------------------------------------------------- */

static void status_json_string(struct text *to, const char *key,
			       const char *value)
{
	text_printf(to, ", \"%s\": ", key);
	if (value)
		text_put_json(to, value);
	else
		text_put(to, "null");
}

static void status_json_key(struct text *to, const char *name,
			    const uint8_t key[WG_KEY_LEN])
{
	char text[BASE64_KEY_SIZE];

	base64_encode_key(text, key);
	status_json_string(to, name, key_is_zero(key) ? NULL : text);
}

static void status_json_nets(struct text *to, const char *key,
			     const struct cidr_list *list)
{
	char text[CIDR_TEXT];
	size_t i;

	text_printf(to, ", \"%s\": [", key);
	for (i = 0; i < list->count; i++) {
		cidr_text(text, &list->all[i]);
		text_printf(to, "%s\"%s\"", i ? ", " : "", text);
	}
	text_put(to, "]");
}

static void status_json_allowedips(struct text *to, const char *key,
				   const struct model_peer *peer)
{
	const struct model_allowedip *aip = peer ? peer->first : NULL;
	char ip[MODEL_ALLOWEDIP_TEXT];

	text_printf(to, ", \"%s\": [", key);
	for (; aip; aip = aip->next) {
		model_allowedip_addr(ip, aip);
		text_printf(to, "\"%s/%u\"%s", ip, aip->cidr,
			    aip->next ? ", " : "");
	}
	text_put(to, "]");
}

static void status_json_peer(struct text *to, const struct model_peer *file,
			     const struct model_peer *now)
{
	const struct model_peer *any = now ? now : file;
	char text[MODEL_ENDPOINT_TEXT];
	char key[BASE64_KEY_SIZE];

	base64_encode_key(key, any->public_key);
	text_printf(to, "{\"public_key\": \"%s\"", key);
	status_json_string(to, "name", file ? file->name : NULL);
	text_printf(to, ", \"in_file\": %s, \"in_kernel\": %s",
		    file ? "true" : "false", now ? "true" : "false");
	status_json_string(to, "endpoint",
			   now && model_endpoint_text(text, &now->endpoint) ?
			   text : NULL);
	status_json_string(to, "file_endpoint", file ? file->host : NULL);
	status_json_allowedips(to, "allowed_ips", now);
	status_json_allowedips(to, "file_allowed_ips", file);
	text_printf(to, ", \"preshared_key\": %s",
		    key_is_zero(any->preshared_key) ? "false" : "true");
	text_printf(to, ", \"persistent_keepalive\": %u", any->keepalive);
	text_printf(to, ", \"latest_handshake\": %" PRId64
		    ", \"rx_bytes\": %" PRIu64 ", \"tx_bytes\": %" PRIu64 "}",
		    now ? now->handshake_sec : 0, now ? now->rx_bytes : 0,
		    now ? now->tx_bytes : 0);
}

static void status_json_peers(struct text *to, const struct status *s)
{
	const struct model_peer *peer;
	const char *comma = "";

	text_put(to, ", \"peers\": [");
	for (peer = s->quick ? s->quick->dev->first : NULL; peer;
	     peer = peer->next) {
		text_put(to, comma);
		status_json_peer(to, peer, status_find(&s->in_kernel, peer));
		comma = ", ";
	}
	for (peer = s->dev ? s->dev->first : NULL; peer; peer = peer->next) {
		if (status_find(&s->in_file, peer))
			continue;
		text_put(to, comma);
		status_json_peer(to, NULL, peer);
		comma = ", ";
	}
	text_put(to, "]");
}

static int status_json(const struct status *s, bool up)
{
	struct text to = { 0 };
	int ret = 0;
	size_t i;

	text_put(&to, "{\"name\": ");
	text_put_json(&to, s->up.name);
	text_printf(&to, ", \"up\": %s", up ? "true" : "false");
	status_json_string(&to, "file", s->quick ? s->up.path : NULL);
	status_json_string(&to, "role", status_role(s));
	if (up) {
		status_json_key(&to, "public_key", s->dev->public_key);
		text_printf(&to, ", \"listen_port\": %u, \"fwmark\": %" PRIu32
			    ", \"mtu\": %u", s->dev->listen_port,
			    s->dev->fwmark, s->link.mtu);
		status_json_nets(&to, "addresses", &s->addresses);
	}
	status_json_peers(&to, s);
	text_put(&to, ", \"differences\": [");
	for (i = 0; i < s->differs.count; i++) {
		text_put(&to, i ? ", " : "");
		text_put_json(&to, s->differs.all[i]);
	}
	text_put(&to, "]}\n");
	if (to.broken)
		ret = ctx_fail(s->ctx, -ENOMEM, "Out of memory");
	else
		fputs(text_string(&to), s->ctx->out);
	text_free(&to);
	return ret;
}

int status_main(struct ctx *ctx, int argc, char **argv)
{
	struct status s = { .ctx = ctx };
	int ret, json = 0;

	ret = up_parse(ctx, argc, argv, UP_JSON, &s.up);
	if (!ret)
		ret = status_gather(&s);
	if (s.up.json && (!ret || ret == VERB_NOT_UP))
		json = status_json(&s, !ret);
	else if (!ret)
		status_show(&s);
	else if (ret == VERB_NOT_UP)
		fprintf(ctx->out, "interface: %s\n  file: %s\n  state: not up\n",
			s.up.name, s.quick ? s.up.path : "(none)");
	tunnel_view_free(&s.in_file);
	tunnel_view_free(&s.in_kernel);
	quick_free(s.quick);
	model_device_free(s.dev);
	cidr_list_free(&s.addresses);
	while (s.differs.count)
		free(s.differs.all[--s.differs.count]);
	free(s.differs.all);
	free(s.up.path);
	return json ? json : ret;
}
