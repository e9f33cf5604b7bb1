// Package policy holds the rules of this repository as tests: which package
// may import which, what the modules may require, the exported API, and the
// style that tools can check. It has no code of its own.
//
// Every rule is a row of a table and says why it is there; so does every
// exception, and one that is no longer needed fails. A rule that is in the way
// is changed here, in a commit that says so, never worked around.
package policy
