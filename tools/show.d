show.o: show.c show.h ctx.h model.h wireguard_uapi.h base64.h ipc.h \
 kernel.h term.h verbs.h
show.h:
ctx.h:
model.h:
wireguard_uapi.h:
base64.h:
ipc.h:
kernel.h:
term.h:
verbs.h:
