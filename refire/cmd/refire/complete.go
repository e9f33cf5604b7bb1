package main

import (
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/spf13/cobra"
)

// flagValues are what a shell offers for flags that take one of a few words, or, where there are none, no file.
var flagValues = map[string][]string{
	"format":     accesslog.FormatNames(),
	"client":     {string(onLoop) + "\tin tasks, HTTP/1.1", string(onThreads) + "\tHTTP/2, proxies"},
	"progress":   {"auto", "on\tevery second", "off"},
	"out-format": {"json\ta retry log", "urls\tone marked URL a line"},
	"method":     {"GET", "HEAD", "GET,HEAD", "any\tall, POST and DELETE too"},
	"status":     {"5xx", "500", "502", "503", "504", "429"},
	"since":      {"1h", "2h", "1d", "today", "yesterday"},
	"proxy":      {"env\twhat HTTP_PROXY and others say", "http://", "https://", "socks5://"},
	"base":       {"http://", "https://"},
	"rate":       {"10/s", "50/s", "30/m"},
	"only":       {"failing", "unreachable", "recovered", "unknown", "all"},

	"dry-run":      {"curl\tcommands that send the same"},
	"at-most-once": {"unsafe\tPOST and the like", "all", "off"},
	"sync":         {"interval\teach second", "always", "never"},
	"retry-budget": {"10%", "any\tno bound"},
	"header":       nil,
	"header-env":   nil,
	"allow-host":   nil,
	"alias":        {"http://", "https://"},
}

// exportValues are those of export, whose --format is another one.
var exportValues = []string{"csv\ta table", "curl\tshell commands", "urls\tone a line"}

// fileFlags take a file with one of these ends; those that are in neither map take any file, or nothing a shell could know.
var fileFlags = map[string][]string{"report": {"html"}, "html": {"html"}}

// addCompletions tells cobra what a shell may offer, for all commands.
func addCompletions(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		for name, values := range flagValues {
			if cmd.Name() == "export" && name == "format" {
				values = exportValues
			}
			if cmd.Flags().Lookup(name) == nil {
				continue
			}
			_ = cmd.RegisterFlagCompletionFunc(name, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
				directive := cobra.ShellCompDirectiveNoFileComp
				if slices.ContainsFunc(values, func(v string) bool { return strings.HasSuffix(v, "://") }) {
					directive |= cobra.ShellCompDirectiveNoSpace
				}
				return beginning(values, begun, partBefore(name, begun)), directive
			})
		}
		for name, ends := range fileFlags {
			if cmd.Flags().Lookup(name) != nil {
				_ = cmd.MarkFlagFilename(name, ends...)
			}
		}
		if dir := cmd.Flags().Lookup("dir"); dir != nil {
			_ = cmd.MarkFlagDirname("dir")
		}
	}
}

// beginning are the values that go on with what is typed, after a part of it that is whole.
func beginning(values []string, typed, whole string) (list []string) {
	for _, v := range values {
		if strings.HasPrefix(whole+v, typed) {
			list = append(list, whole+v)
		}
	}
	return list
}

// partBefore is what is whole of a value that is being typed: a list up to its last comma, what is said to be around the lines of a log.
func partBefore(flag, typed string) string {
	end := -1
	switch flag {
	case "only", "status", "method":
		end = strings.LastIndexByte(typed, ',')
	case "format":
		end = strings.IndexByte(typed, ':')
	}
	return typed[:end+1]
}
