package child

import (
	"fmt"
	"os/user"
	"strconv"
)

// Account is a user of this machine that a child runs as, in place of ours. Only root
// can start such a child.
type Account struct {
	Name   string // its number, where it has no name
	Home   string
	UID    uint32
	GID    uint32
	Groups []uint32 // all of them
}

// FindAccount finds a user by name or number.
func FindAccount(name string) (*Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("there is no user %q", name)
		}
	}
	return accountOf(u)
}

// OwnerAccount is the user with a number, who in a container may have no name: then it
// has the group alone that is given, and no home.
func OwnerAccount(uid, gid uint32) *Account {
	if u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10)); err == nil {
		if a, err := accountOf(u); err == nil {
			return a
		}
	}
	return &Account{Name: strconv.FormatUint(uint64(uid), 10), Home: "/", UID: uid, GID: gid, Groups: []uint32{gid}}
}

func accountOf(u *user.User) (*Account, error) {
	ids, _ := u.GroupIds() // without them its primary group is known all the same
	a := &Account{Name: u.Username, Home: u.HomeDir}
	for i, id := range append([]string{u.Uid, u.Gid}, ids...) {
		n, err := strconv.ParseUint(id, 10, 32)
		switch {
		case err != nil: // Windows has no numbers
			return nil, fmt.Errorf("the user %q has no number", u.Username)
		case i == 0:
			a.UID = uint32(n)
		case i == 1:
			a.GID, a.Groups = uint32(n), []uint32{uint32(n)}
		case uint32(n) != a.GID:
			a.Groups = append(a.Groups, uint32(n))
		}
	}
	return a, nil
}

// environment is that of the account, made of ours: what names our home or belongs to
// our session is not its own.
func (a *Account) environment(env []string) []string {
	return append(env, "HOME="+a.Home, "USER="+a.Name, "LOGNAME="+a.Name)
}

// ours are the variables that only make sense with our account.
func ours(name string) bool {
	switch name {
	case "HOME", "USER", "LOGNAME", "MAIL", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_SESSION_ID", "DBUS_SESSION_BUS_ADDRESS":
		return true
	}
	return false
}
