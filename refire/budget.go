package refire

// Budget bounds the retries of a run that lead nowhere: to Share of the entries fired, and Floor beyond that. A server that recovers on the second attempt gets
// as many second attempts as it needs; one that answers no attempt is not asked --retries times for each entry. It is pure. The zero Budget allows none.
//
// So the retries of an entry that recovers are given back: AWS's SDKs keep their retry quota that way. What they and others (Finagle's RetryBudget, 20 % and a
// floor; Google's SRE book, 10 % a client) share is that the bound is of all requests and not of each.
type Budget struct {
	Share float64
	Floor int

	fired int // entries
	spent int // retries that have not led to a recovery
	short int // retries that there was no budget for
}

// Defaults of Budget.
const (
	DefaultBudgetShare = 0.1
	DefaultBudgetFloor = 100
)

// Fired takes in an entry's first attempt.
func (b *Budget) Fired() { b.fired++ }

// Take takes a retry, if there is one.
func (b *Budget) Take() bool {
	if float64(b.spent) >= b.Share*float64(b.fired)+float64(b.Floor) {
		b.short++
		return false
	}
	b.spent++
	return true
}

// Refund gives back the retries of an entry that has recovered.
func (b *Budget) Refund(retries int) { b.spent -= retries }

// Short is how often there was none.
func (b *Budget) Short() int { return b.short }
