#!/usr/bin/env node
// Stands in for python3.13 where there is none: CPython as npm's pyodide has it, under Node. It
// takes the arguments that the tests give to a python3, "-I -c PROGRAM".
//
//	npm install --prefix DIR pyodide@0.29.0
//	PYODIDE=DIR/node_modules/pyodide PYTHON=$PWD/internal/scenario/pyodide.mjs go test ./internal/scenario
import { readSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [isolated, c, program] = process.argv.slice(2);
if (isolated !== "-I" || c !== "-c" || !process.env.PYODIDE) {
	console.error("usage: PYODIDE=folder-of-the-npm-package pyodide.mjs -I -c PROGRAM");
	process.exit(2);
}
const { loadPyodide } = await import(pathToFileURL(resolve(process.env.PYODIDE, "pyodide.mjs")));
const python = await loadPyodide();
python.setStdin({ read: (buffer) => readSync(0, buffer), isatty: false });
python.setStdout({ write: (buffer) => writeSync(1, buffer), isatty: false });
python.setStderr({ write: (buffer) => writeSync(2, buffer), isatty: false });
python.runPython("import asyncio; asyncio._set_running_loop(None)"); // it pretends that one runs always
python.runPython(program);
