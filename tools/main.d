main.o: main.c ctx.h term.h verbs.h
ctx.h:
term.h:
verbs.h:
