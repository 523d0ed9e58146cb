// Package steps is the upgrade itself, with no terminal in it.
//
// It holds the contract that every step keeps (Plan, Apply, Verify, Undo), the
// state machine that says which step may follow which, the journal that lets a
// run killed at any instant go on or go back, and the vocabulary they share:
// the project that was found, its keys, findings, events and secrets.
//
// A run flows one way:
//
//	Project (facts, read only) -> Plan (masked) -> Apply -> Verify -> Journal
//
// Each step lives in a small package below this one. A step package knows this
// package and envfile, and never another step; what one step finds out for the
// next travels in Run.
//
// Three rules hold everywhere below:
//
//   - Plan and Verify change nothing. Apply is safe to repeat.
//   - A key, password or token lives in a Secret, whose printed forms are
//     masked. Its value comes out through Reveal only.
//   - Text from a child process or a server passes through Inert before it is
//     put into an event, a finding or an error.
package steps
