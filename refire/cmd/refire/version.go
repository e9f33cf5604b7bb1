package main

import (
	"fmt"
	"runtime/debug"
)

// version is what the build knows of itself: the module's version, and the commit where it was built from a clone.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "refire, built without module information"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	text := "refire " + info.Main.Version
	if revision := set["vcs.revision"]; revision != "" {
		text += ", revision " + revision
		if set["vcs.modified"] == "true" {
			text += " with changes"
		}
	}
	return fmt.Sprintf("%s, %s %s/%s", text, info.GoVersion, set["GOOS"], set["GOARCH"])
}
