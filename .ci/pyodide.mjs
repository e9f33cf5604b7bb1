#!/usr/bin/env node
// python3 -I -c PROGRAM, by CPython for WebAssembly: the judge of internal/scenario where Debian's
// python3 is too old. $PYODIDE is the folder of npm's package pyodide.
import { readSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [, , isolated, command, program] = process.argv;
if (isolated !== "-I" || command !== "-c" || !program || !process.env.PYODIDE) {
	console.error("usage: PYODIDE=folder pyodide.mjs -I -c PROGRAM");
	process.exit(2);
}
const { loadPyodide } = await import(pathToFileURL(`${process.env.PYODIDE}/pyodide.mjs`));
const python = await loadPyodide();
python.setStdin({ read: (buffer) => readSync(0, buffer) });
python.setStdout({ write: (buffer) => writeSync(1, buffer) });
python.setStderr({ write: (buffer) => writeSync(2, buffer) });
python.runPython(program);
