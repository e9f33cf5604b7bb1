package job

// skip reads past a value, and reports whether it was zero.
func (d *decoder) skip(s *schema) (zero bool) {
	if !d.enter() {
		return false
	}
	defer d.leave()
	switch s.kind {
	case wireBool:
		return d.byte() == 0
	case wireInt, wireUint:
		return d.uvarint() == 0
	case wireFloat32:
		return allZero(d.take(4))
	case wireFloat64:
		return allZero(d.take(8))
	case wireComplex:
		return allZero(d.take(16))
	case wireHash:
		return allZero(d.take(s.n))
	case wireString:
		return len(d.bytes()) == 0
	case wireBytes, wireBinary, wireGob, wireText:
		n, ok := d.nilOrLen()
		if ok {
			d.take(n)
		}
		return !ok
	case wireStruct:
		zero = true
		if len(s.fields) == 0 {
			d.byte()
		}
		for i := 0; i < len(s.fields) && !d.failed; i++ {
			zero = d.skip(s.fields[i].shape) && zero
		}
		return zero
	case wireArray:
		zero = true
		if s.n == 0 {
			d.byte()
		}
		for i := 0; i < s.n && !d.failed; i++ {
			zero = d.skip(s.elem) && zero
		}
		return zero
	}
	return d.uvarint() == 0 // the others are zero if they are nil; if not, nobody reads on
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
