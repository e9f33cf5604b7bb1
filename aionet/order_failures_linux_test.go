package aionet_test

func bufferedInOrder(s *script) error {
	_, end := s.connectBuffered("a", 8, nil, "")
	s.turn(3)
	end.puts("one")
	s.turn(2)
	end.puts("more than fits")
	s.turn(4)
	end.shut()
	s.turn(4)

	_, end = s.connectBuffered("b", 4, nil, "")
	end.puts("12345678")
	s.turn(4)
	end.puts("1234")
	end.close()
	s.turn(5)

	_, end = s.connectBuffered("early", 4, nil, "12345")
	s.turn(4)
	end.close()
	s.turn(3)

	p, end := s.connectBuffered("c", 3, does{"updated": func(p *told) bool { p.PauseReading(); return false }}, "")
	end.puts("12345")
	s.turn(4)
	s.log("paused")
	p.ResumeReading()
	s.turn(3)
	s.log("paused")
	p.ResumeReading()
	s.turn(3)
	p.Close()
	p.Close()
	s.turn(2)

	_, end = s.connectBuffered("d", 3, does{"updated": closes}, "")
	end.puts("12345")
	s.turn(4)

	for _, c := range []struct {
		name string
		size int
		does does
	}{{"e", 3, does{"buffer": boom}}, {"f", 0, nil}, {"g", 3, does{"updated": boom}}} {
		_, end = s.connectBuffered(c.name, c.size, c.does, "")
		end.puts("12345")
		s.turn(4)
	}
	_, end = s.connectBuffered("h", 3, does{"eof": boom}, "")
	end.shut()
	s.turn(4)
	return nil
}

func failuresInOrder(s *script) error {
	p, end := s.connect("made", does{"made": boom})
	end.puts("1")
	s.turn(3)
	p.Close()
	s.turn(3)

	_, end = s.connect("data", does{"data": boom})
	end.puts("1")
	s.turn(3)
	end.gets()
	p, end = s.connectFull("data at the end", does{"data": boom})
	p.write("dropped")
	end.puts("1")
	end.shut()
	s.turn(4)
	end.drain()
	end.gets()
	_, end = s.connect("eof", does{"eof": boom})
	end.shut()
	s.turn(4)

	p, end = s.connect("lost", does{"lost": boom})
	p.Close()
	s.turn(3)
	end.gets()
	p, end = s.connectFull("lost after the rest", does{"lost": boom})
	p.write("rest")
	p.Close()
	end.drain()
	s.turn(3)
	end.gets()
	end.gets()

	p, end = s.connectFull("flow", does{"pause": boom, "resume": boom})
	p.limits(3, 0)
	s.loop.CallSoon(func() { p.write("rest") })
	s.loop.CallSoon(func() { s.log("wrote") })
	s.turn(1)
	end.drain()
	s.turn(3)
	end.gets()
	p.write("more")
	end.gets()
	p.Close()
	s.turn(3)
	return nil
}
