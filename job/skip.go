package job

// skip reads past a value and reports true if it was zero. If it was not, nobody reads on, so where it
// stopped does not matter; nor does it matter what it says after a failure.
func (d *decoder) skip(s *schema) bool {
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
		if len(s.fields) == 0 {
			d.byte()
		}
		for _, f := range s.fields {
			if !d.skip(f.shape) {
				return false
			}
		}
		return true
	case wireArray:
		if s.n == 0 {
			d.byte()
		}
		for range s.n {
			if !d.skip(s.elem) {
				return false
			}
		}
		return true
	}
	return d.uvarint() == 0 // the others are zero if they are nil
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
