package aionet_test

import (
	"context"

	"github.com/seed8b1f0744/aio"
)

// What a protocol does when it is told of something.
func closes(p *told) bool { p.Close(); return false }
func aborts(p *told) bool { p.Abort(); return false }
func keeps(*told) bool    { return true }

func lifeInOrder(s *script) error {
	p, end := s.connect("a", nil)
	s.turn(2)
	end.puts("one")
	s.turn(2)
	end.puts("two ")
	end.puts("three")
	s.turn(3)
	p.write("hello")
	end.gets()
	end.shut()
	s.turn(3)
	end.gets()

	connecting := aio.Go(s.ctx, func(ctx context.Context) (*peer, error) {
		_, end := s.connectIn(ctx, "b", nil, with{})
		return end, nil
	})
	s.turn(1)
	s.log("began")
	end, err := connecting.Await(s.ctx)
	if err != nil {
		return err
	}
	end.puts("last words")
	end.close()
	s.turn(5)

	_, end = s.connectIn(s.ctx, "early", nil, with{early: "bird"})
	s.turn(2)
	end.close()
	s.turn(3)

	p, end = s.connect("c", does{"eof": keeps})
	end.shut()
	s.turn(4)
	p.write("still here")
	end.gets()
	p.Close()
	s.log("closed")
	end.gets()
	s.turn(2)
	end.gets()

	endsOnce(s)
	fromInside(s)
	endOfWriting(s)
	otherSideGone(s)
	return nil
}

func endsOnce(s *script) {
	p, end := s.connect("d", nil)
	p.Close()
	p.Close()
	p.Abort()
	p.write("too late")
	p.WriteEOF()
	s.log("closed")
	s.turn(3)
	end.gets()
	p, _ = s.connect("e", nil)
	p.Abort()
	p.Abort()
	p.Close()
	s.log("aborted")
	s.turn(3)

	p, end = s.connect("f", nil)
	end.puts("unread")
	p.Close()
	s.turn(3)
}

func fromInside(s *script) {
	farewell := func(p *told) bool {
		p.write("bye")
		p.Close()
		s.log("said bye")
		return false
	}
	for _, event := range []string{"made", "data", "eof"} {
		_, end := s.connect("in "+event, does{event: farewell})
		if event != "made" {
			end.puts("x")
		}
		if event == "eof" {
			end.shut()
		}
		s.turn(4)
		end.gets()
	}
	p, end := s.connect("in lost", does{"lost": farewell})
	p.Abort()
	s.turn(3)
	end.gets()
	_, end = s.connect("g", does{"data": aborts})
	end.puts("x")
	end.close()
	s.turn(4)
}

func endOfWriting(s *script) {
	p, end := s.connect("h", nil)
	p.write("all")
	p.WriteEOF()
	p.WriteEOF()
	end.gets()
	end.gets()
	func() {
		defer func() {
			if recover() != nil {
				s.log("no more")
			}
		}()
		p.write("more")
	}()
	end.puts("answer")
	s.turn(2)
	end.close()
	s.turn(3)
}

func otherSideGone(s *script) {
	p, end := s.connect("i", nil)
	end.close()
	p.write("x")
	s.log("wrote")
	p.write("y")
	s.turn(3)
	p, end = s.connect("j", does{"eof": keeps})
	end.close()
	s.turn(3)
	p.write("x")
	s.log("wrote")
	s.turn(2)
	p, end = s.connect("k", nil)
	p.write("unread")
	end.close()
	s.turn(3)
}

func readingInOrder(s *script) error {
	p, end := s.connect("a", nil)
	p.PauseReading()
	p.PauseReading()
	end.puts("one")
	s.turn(3)
	s.log("paused")
	p.ResumeReading()
	p.ResumeReading()
	s.log("resumed")
	s.turn(3)
	p.PauseReading()
	p.ResumeReading()
	end.puts("two")
	s.turn(3)
	p.ResumeReading()
	s.turn(2)
	p.PauseReading()
	s.turn(2)
	p.ResumeReading()
	s.log("resumed, with nothing to read")
	s.turn(2)
	end.puts("three")
	s.turn(3)

	p.PauseReading()
	end.puts("four")
	end.shut()
	s.turn(2)
	s.log("paused at the end")
	p.ResumeReading()
	s.turn(4)

	p, end = s.connect("b", nil)
	p.PauseReading()
	end.puts("unread")
	s.turn(1)
	p.Close()
	p.ResumeReading()
	s.turn(3)

	readingFromInside(s)

	a, ends := s.connect("g", nil)
	b, others := s.connect("h", nil)
	s.turn(2)
	others.puts("1")
	ends.puts("1")
	s.loop.CallSoon(func() { s.log("soon") })
	s.loop.CallLater(0, func() { s.log("timer") })
	s.turn(3)
	a.Close()
	b.Close()
	s.turn(2)
	return nil
}

func readingFromInside(s *script) {
	p, end := s.connect("c", does{"made": func(p *told) bool {
		p.PauseReading()
		s.loop.CallSoon(p.ResumeReading)
		return false
	}})
	end.puts("one")
	s.turn(4)
	p.Close()
	s.turn(2)
	p, end = s.connect("d", does{"data": func(p *told) bool { p.PauseReading(); return false }})
	for _, text := range []string{"one", "two"} {
		end.puts(text)
		s.turn(3)
	}
	for _, text := range []string{"three", "four"} {
		p.ResumeReading()
		end.puts(text)
		s.turn(4)
		s.log("paused")
	}
	end.close()
	s.turn(2)
	p.ResumeReading()
	s.turn(4)

	p, end = s.connect("soon", nil)
	p.PauseReading()
	end.puts("x")
	s.turn(1)
	p.ResumeReading()
	s.loop.CallSoon(func() { s.log("soon") })
	s.turn(2)
	p.Close()
	s.turn(2)

	p, end = s.connect("e", nil)
	other, its := s.connect("f", does{"data": func(*told) bool { p.PauseReading(); return false }})
	its.puts("first")
	end.puts("second")
	s.turn(3)
	p.ResumeReading()
	s.turn(3)
	its.puts("first")
	end.puts("second")
	s.turn(3)
	p.Close()
	other.Close()
	s.turn(2)
}
