showconf.o: showconf.c verbs.h ctx.h conf.h model.h wireguard_uapi.h \
 ipc.h kernel.h
verbs.h:
ctx.h:
conf.h:
model.h:
wireguard_uapi.h:
ipc.h:
kernel.h:
