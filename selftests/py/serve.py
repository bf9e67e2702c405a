# SPDX-License-Identifier: GPL-2.0
"""Runs the scripts of a scenario one after the other, each in a process of its
own, without reading in the libraries again: see py() in lib.sh."""
import os
import sys
import traceback

import noise
import packets

tmp = sys.argv[1]


def run(words):
    out = os.open(tmp + "/py.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["script"] + words
    names = {n: getattr(lib, n) for lib in (noise, packets) for n in lib.__all__}
    try:
        with open(tmp + "/py.script") as script:
            exec(compile(script.read(), tmp + "/py.script", "exec"), dict(names, sys=sys))
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    os._exit(code)


while True:
    with open(tmp + "/py.do") as do:
        words = do.read().split()
    child = os.fork()
    if not child:
        run(words)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with open(tmp + "/py.done", "w") as done:
        done.write(str(abs(code)))
