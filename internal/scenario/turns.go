package scenario

import (
	"reflect"

	"github.com/seed8b1f0744/aio"
)

// CountsTurns reports whether the loop tells how many iterations it has made (Loop.Stats): without,
// all turns are 0.
var CountsTurns = reflect.ValueOf((*aio.Loop)(nil)).MethodByName("Stats").IsValid()

func turnsOf(l *aio.Loop) uint64 {
	if !CountsTurns {
		return 0
	}
	return reflect.ValueOf(l).MethodByName("Stats").Call(nil)[0].FieldByName("Iterations").Uint()
}
