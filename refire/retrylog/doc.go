// Package retrylog turns outcomes into lines and back.
//
// A retry log is JSON lines, one outcome each. It is also the journal of a run: started again with the same file, a run goes on where it was. Later lines
// about the same entry supersede earlier ones. What refire itself has not written, it neither appends to nor cuts.
//
// Two files may be beside it, with its name and a suffix: FiredSuffix, requests that are about to be fired and must not be fired twice; and MetaSuffix, how
// the retry log came about.
package retrylog
