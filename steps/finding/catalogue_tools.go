package finding

import "maps"

// The pages of what can go wrong with the programs and services that keep a key
// or restart a backend.
func init() {
	maps.Copy(catalogue, map[Code]Page{
		ToolMissing: {
			Severity: Error,
			Message:  "A program that is needed is not installed.",
			Why:      "keysplit talks to secret managers and service managers through their own programs.",
			Fix:      Do("Install it, then run `keysplit` again."),
		},
		ToolNotLoggedIn: {
			Severity: Error,
			Message:  "The program is not logged in.",
			Why:      "Without a login nothing can be read or written there.",
			Fix:      Do("Log in with that program, then run `keysplit` again."),
		},
		AccessDenied: {
			Severity: Error,
			Message:  "The account that is logged in may not do this.",
			Why:      "Reading and writing the key there needs the right to do so.",
			Fix:      Do("Ask for the right, or have someone who has it run keysplit."),
		},
		PlaceNotFound: {
			Severity: Error,
			Message:  "The place that was named does not exist.",
			Why:      "A misspelt name would otherwise put the key where nothing reads it.",
			Fix:      Do("Look at the spelling, and at the account, context or namespace that is in use."),
		},
		PlaceConflict: {
			Severity: Error,
			Message:  "The place was changed by someone else at the same time.",
			Why:      "Writing over it could lose their change.",
			Fix:      Do("Run `keysplit` again: it looks at the place anew."),
		},
		PlaceUnreachable: {
			Severity: Error,
			Message:  "The service could not be reached, or is not ready.",
			Why:      "What cannot be reached cannot be read or written. Whether a write arrived is looked at in the next run.",
			Fix:      Do("See that the network or VPN is up and, for Vault, that it is unsealed. Then run `keysplit` again."),
		},
		UpgradeUnfinished: {
			Severity: Error,
			Message:  "An upgrade of other places is not finished.",
			Why:      "Some of its places have the new key and the others wait for it. Another key or another place now would leave them apart for good.",
			Fix:      Do("Finish it, or take it back with: `keysplit rollback`"),
		},
		PlaceImmutable: {
			Severity: Error,
			Message:  "The Secret is immutable.",
			Why:      "Kubernetes lets nobody change an immutable Secret, and it cannot be made mutable again.",
			Fix:      Do("Make a new Secret under another name with all its keys and JWT_SECRET_KEY, point the workloads at it, and give that name to --target."),
		},
		PlaceManaged: {
			Severity: Warning,
			Message:  "Something else owns this Secret and will write over it.",
			Why:      "Helm, Argo CD or an ExternalSecret brings the Secret back to what its own source says.",
			Fix:      Do("Put the key into that source as well."),
		},
		ByHandOnly: {
			Severity: Error,
			Message:  "This place can only be changed by hand, and nobody is there to do it.",
			Why:      "The target manual waits for a person who sets the key.",
			Fix:      Do("Run `keysplit upgrade` on a terminal and without --yes."),
		},
		GraceModuleNotOurs: {
			Severity: Error,
			Message:  "jwt_grace.py is there already, and is not as keysplit writes it.",
			Why:      "It may be your own code, or lead to a file outside of the project. keysplit replaces only what it wrote itself.",
			Fix:      Do("Look at the file, move it away, then run: `keysplit grace`"),
		},
		GraceNotAdvised: {
			Severity: Error,
			Message:  "A grace period would do harm here.",
			Why:      "A grace period accepts the previous key for a while. That is only right when that key was a good one.",
			Fix:      Do("Let people log in again."),
		},
		GraceOver: {
			Severity: Info,
			Message:  "The grace period is over.",
			Why:      "The previous key counts for nothing any more, and a secret that nothing needs is only a risk.",
			Fix:      Do("Take JWT_PREVIOUS_SECRET_KEY and JWT_PREVIOUS_SECRET_KEY_UNTIL out of the .env, the three lines out of the settings, and delete jwt_grace.py."),
		},
		FallbackInForce: {
			Severity: Warning,
			Message:  "The emergency rollback is not put right yet.",
			Why:      "Tokens may be signed with SECRET_KEY: whoever learns that one key can forge sessions and tokens alike.",
			Fix:      Do("Bring the change of the settings back, then run: `keysplit upgrade`"),
		},
		JWTKeyOld: {
			Severity: Info,
			Message:  "JWT_SECRET_KEY is older than 90 days.",
			Why:      "The upgrade guide asks for a new key every 90 days, and at once when one may have leaked.",
			Fix:      Do("Run: `keysplit upgrade --rotate`, then `keysplit grace`, in a quiet hour."),
		},
		PlaceNotRestored: {
			Severity: Error,
			Message:  "The value before could not be put back.",
			Why:      "The place never shows a value, or did not take the earlier one.",
			Fix:      Do("Set the earlier value by hand, or keep the new key: it is good."),
		},
	})
}
