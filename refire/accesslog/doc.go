// Package accesslog turns the bytes of access logs into entries: the first stage of refire. It needs nothing but the standard
// library, and nothing in it needs an event loop.
//
// A [Scanner] reads a log once, yields the entries whose status is selected and every line that it cannot use, and counts
// all lines. No line is lost, and none ends the scan. [NewFileScanner] shares a file out to several cores; [NewScanner] reads
// a stream. Files are read, not mapped: a log that is truncated meanwhile yields an error.
//
// # Formats
//
// A [Format] is known by name ([FormatNames], [ParseFormat]), or is what a server's own format string says ([ParseNginx], [ParseApache], out of a
// configuration file [FormatFrom]), or a map of keys ([ParseJSON], [ParseLogfmt]). [Auto] recognises those with a name from the first lines ([Detect]), and tries all that it
// has seen there on every line: what the main one can read is its own, and of the others, all that can read a line must find the same in it. Of a
// stream that comes line by line, as many lines as Detect looks at are read with all formats. Where nothing was recognised, lines are read as those of the family below.
// Around any of them may be what Docker, the Container Runtime Interface or a syslog daemon puts around lines ("docker:", "cri:", "syslog:" before
// a name). The status that counts is the one that the client got, not what a server behind answered. Nothing that a client writes makes a request, a status
// or a time, or has other lines read otherwise: what can be read in two ways, of which a client may have written one, is a bad line ([Ambiguous]); a format
// string with which this would always be so is refused.
//
// Entries are the same however a file is shared out to workers, also where lines depend on those before them (the "#Fields:" of the W3C's format).
// Identity, offset and line number are those of the raw line.
//
// # Which lines are well formed
//
// The rest of this comment is about the family: Apache's and nginx's common and combined formats, and all that share their beginning, have the same skeleton:
//
//	... [time] "request" status ...
//
// Format strings with this skeleton are of the family, too. Each other format's grammar is in the comment of its type or its constructor. A line is well formed if, without its line end (LF or CR LF),
//
//  1. the request is opened by the first double quote that directly follows "] " and lies in no other quoted field. A quoted field
//     is ended by the first quote that is not escaped, that is, before which stands an even number of backslashes;
//  2. before that stands "[", at the beginning of the line or after a space; the time is what follows the last such;
//  3. the request is a quoted field, and
//  4. a space and the status follow it: three digits, or "-" where Apache had none; then a space or the end of the line.
//
// So what comes before the time and after the status is not judged: a line whose user agent was cut off is an entry. Nor can a
// client forge a request with what servers log unquoted: a user name may hold spaces and brackets, but both servers escape quotes in
// it (Apache writes an empty one as "", which is a quoted field). A line that begins with a quote is first read as if it was
// wrapped in one more pair of quotes, the last of which may be missing; if it is not well formed then, as it stands.
//
// A well-formed line may have no request (see [Entry]); it is counted apart and is not malformed. A line with
// nothing but its line end is empty. A line longer than [Options].MaxLineBytes is not looked at.
//
// # What becomes of the request
//
// The method is what precedes the first space, the protocol the last word if it begins with "HTTP/", the target all between, without the
// spaces around it. Then the server's escaping is undone. Apache writes \" \\ \b \n \r \t \v and \xHH, nginx \xHH alone, for quotes
// and backslashes too; these never contradict each other, so it does not matter which server it was. A backslash that begins none of them
// stays. The target is then what the client had sent, byte for byte.
package accesslog
