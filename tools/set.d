set.o: set.c verbs.h ctx.h args.h model.h wireguard_uapi.h ipc.h kernel.h
verbs.h:
ctx.h:
args.h:
model.h:
wireguard_uapi.h:
ipc.h:
kernel.h:
