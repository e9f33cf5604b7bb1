package aio

// byNumber finds a descriptor's entry by its number: each report does, so it is no map. Numbers are small, as the system
// gives the smallest that is free, but anybody may choose a large one: hence pages, which are made when a number
// of theirs is first used, and kept. The zero value is empty.
type byNumber struct {
	pages []*[numbersPage]*descriptor
}

const numbersPage = 256

// at is the entry of fd, which may be any number; nil if there is none.
func (t *byNumber) at(fd int) *descriptor {
	if i := uint(fd) / numbersPage; i < uint(len(t.pages)) && t.pages[i] != nil {
		return t.pages[i][uint(fd)%numbersPage]
	}
	return nil
}

// set makes a the entry of fd, which must not be below zero.
func (t *byNumber) set(fd int, a *descriptor) {
	i := fd / numbersPage
	if i >= len(t.pages) {
		t.pages = append(t.pages, make([]*[numbersPage]*descriptor, i+1-len(t.pages))...)
	}
	if t.pages[i] == nil {
		t.pages[i] = new([numbersPage]*descriptor)
	}
	t.pages[i][fd%numbersPage] = a
}

// remove takes out fd's entry, if there is one.
func (t *byNumber) remove(fd int) {
	if t.at(fd) != nil {
		t.set(fd, nil)
	}
}

// all yields the entries, which may be taken out meanwhile, by number.
func (t *byNumber) all(yield func(fd int, a *descriptor) bool) {
	for i, page := range t.pages {
		if page == nil {
			continue
		}
		for j, a := range page {
			if a != nil && !yield(i*numbersPage+j, a) {
				return
			}
		}
	}
}
