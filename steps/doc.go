// Package steps is the upgrade itself, with no terminal in it.
//
// It holds the contract that every step keeps (Plan, Apply, Verify, Undo), the
// state machine that says which step may follow which, the engine that carries
// steps out and records them, and what they share: the project that was found,
// its keys, the places where they live, and events. Secrets, findings and the
// journal are packages of their own below this one.
//
// A run flows one way:
//
//	Project (facts, read only) -> Plan (masked) -> Apply -> Verify -> Journal
//
// Each step lives in a small package below this one. A step package knows this
// package and the rooms below it, and never another step; what one step finds out for the
// next travels in Run, in a group of its author. Where the key lives is a Home; what
// is known of other people's services is in package vendor.
//
// Three rules hold everywhere below:
//
//   - Plan and Verify change nothing. Apply is safe to repeat.
//   - A key, password or token lives in a secret.Secret, and text from elsewhere
//     is shown by a secret.Redactor before it is put into an event or an error.
package steps
