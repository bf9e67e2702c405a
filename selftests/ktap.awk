# SPDX-License-Identifier: GPL-2.0
#
# Counts the results of a KTAP or TAP stream, at any depth: a result that
# stands for more deeply indented ones above it is only counted if it failed
# though none of those did. Several streams may follow each other, if each begins
# with its version. Prints "N passed, N failed[, N skipped]"; with -v raw=1 the
# three numbers alone.

function indent(line) { match(line, /^ */); return RLENGTH }

# A plan that promises more than came is a failure: the test died on the way.
function close_plan(d)
{
	if (plan[d] > seen[d])
		failed++
	plan[d] = seen[d] = 0
}

# What comes from here on is another stream: with its plan before its results it
# would be taken for the plan of those before.
/^ *K?TAP version/ {
	for (i = indent($0); i <= deepest; i++) {
		close_plan(i)
		child[i] = childbad[i] = 0
	}
	next
}

/^ *1\.\.[0-9]+/ {
	d = indent($0)
	sub(/^ *1\.\./, "")
	plan[d] = $0 + 0
	if (d > deepest)
		deepest = d
	# It stands before the results or behind them.
	if (seen[d])
		close_plan(d)
	next
}

/^ *(not )?ok([ \t]|$)/ {
	d = indent($0)
	bad = $0 ~ /^ *not ok/
	for (i = 0; i < d; i++)
		child[i] = 1
	for (i = d + 1; i <= deepest; i++)
		close_plan(i)
	if (d > deepest)
		deepest = d
	seen[d]++
	if ($0 ~ /# *(SKIP|skip)/ && !child[d]) {
		skipped++
	} else if (bad) {
		if (!childbad[d])
			failed++
		for (i = 0; i < d; i++)
			childbad[i] = 1
	} else if (!child[d]) {
		passed++
	}
	child[d] = childbad[d] = 0
}

END {
	for (i = 0; i <= deepest; i++)
		close_plan(i)
	if (raw)
		print passed + 0, failed + 0, skipped + 0
	else
		printf "%d passed, %d failed%s\n", passed, failed,
			skipped ? ", " skipped " skipped" : ""
}
