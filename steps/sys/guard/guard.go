// Package guard keeps a mistake of keysplit's own, in whatever goroutine it
// happens, from ending the program on the spot: the terminal would stay as the
// wizard has it, and the stack of every goroutine, with what its arguments hold,
// would be printed on it.
//
// Every goroutine of the product is started with Go.
package guard

import (
	"errors"
	"fmt"
)

// Err marks an error that was a panic.
var Err = errors.New("a mistake in keysplit itself")

// Of makes an error of what a panic said.
func Of(said any) error { return fmt.Errorf("%w: %v", Err, said) }

// Go runs do in a goroutine of its own. If it panics, failed gets an error that
// wraps Err and says what the panic said: text that is not clean yet. Both run to
// their end before the goroutine does; failed must set free whoever waits for do.
func Go(do func(), failed func(error)) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				failed(Of(p))
			}
		}()
		do()
	}()
}
