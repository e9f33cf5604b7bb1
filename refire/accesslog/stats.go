package accesslog

// Stats counts what a scan has seen. Every line is counted once:
//
//	Lines == Entries + NoRequest + Malformed + TooLong + Empty + Directives
type Stats struct {
	Bytes      int64 // of all lines, with their line ends
	Lines      int64
	Entries    int64 // well-formed lines with a request
	NoRequest  int64 // well-formed lines whose request field holds nothing to fire, see Entry.NoRequest
	Malformed  int64
	TooLong    int64
	Empty      int64 // nothing, or a lone CR, before the line end
	Directives int64 // lines about the lines after them, such as "#Fields: ..."

	Selected          int64 // of Entries, those whose status is selected
	SelectedNoRequest int64 // of NoRequest, likewise

	Unterminated int64 // lines that end with the stream and not with a newline (0 or 1 per stream): perhaps half written

	ByStatus [1000]int64 // Entries and NoRequest by status
}

// Add adds the counts of another scan.
func (s *Stats) Add(o *Stats) {
	s.Bytes += o.Bytes
	s.Lines += o.Lines
	s.Entries += o.Entries
	s.NoRequest += o.NoRequest
	s.Malformed += o.Malformed
	s.TooLong += o.TooLong
	s.Empty += o.Empty
	s.Directives += o.Directives
	s.Selected += o.Selected
	s.SelectedNoRequest += o.SelectedNoRequest
	s.Unterminated += o.Unterminated
	for i, n := range &o.ByStatus {
		s.ByStatus[i] += n
	}
}
