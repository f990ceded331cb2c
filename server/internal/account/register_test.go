package account_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// TestRegisterBlamesEveryField: all bad fields of a request are reported
// together, by the names of the form.
func TestRegisterBlamesEveryField(t *testing.T) {
	good := account.NewDevice{Name: "Chrome.test6", Email: "six@example.com", Password: password}
	with := func(change func(*account.NewDevice)) account.NewDevice {
		d := good
		change(&d)
		return d
	}
	name := func(n string) account.NewDevice { return with(func(d *account.NewDevice) { d.Name = n }) }
	email := func(e string) account.NewDevice { return with(func(d *account.NewDevice) { d.Email = e }) }
	pass := func(p string) account.NewDevice { return with(func(d *account.NewDevice) { d.Password = p }) }
	tests := map[string]struct {
		device account.NewDevice
		fields []string
	}{
		"nothing at all":        {account.NewDevice{}, []string{"deviceName", "email", "password"}},
		"two of three":          {account.NewDevice{Name: "ok", Email: "no", Password: "short"}, []string{"email", "password"}},
		"name of spaces":        {name("   "), []string{"deviceName"}},
		"name with a new line":  {name("pho\nne"), []string{"deviceName"}},
		"name that hides":       {name("pho\u202ene"), []string{"deviceName"}},
		"name with U+FFFD":      {name("pho\ufffdne"), []string{"deviceName"}},
		"name of 65":            {name(strings.Repeat("é", 65)), []string{"deviceName"}},
		"no e-mail":             {email(""), []string{"email"}},
		"e-mail with a name":    {email("Six <six@example.com>"), []string{"email"}},
		"e-mail with a space":   {email("six @example.com"), []string{"email"}},
		"e-mail of 255":         {email(strings.Repeat("a", 243) + "@example.com"), []string{"email"}},
		"two e-mails":           {email("a@example.com, b@example.com"), []string{"email"}},
		"password of 7":         {pass("1234é67"), []string{"password"}},
		"password of 257":       {pass(strings.Repeat("a ", 128) + "a"), []string{"password"}},
		"password of 1025 byte": {pass(strings.Repeat("🐟", 256) + "a"), []string{"password"}},
		"password of the list":  {pass("PassWord1"), []string{"password"}},
		"password is the name":  {pass("chrome.TEST6"), []string{"password"}},
		"password is the mail":  {pass("SIX@example.com"), []string{"password"}},
		"password our name":     {pass("Social-Server"), []string{"password"}},
	}
	w := newWorld(t)
	for what, tt := range tests {
		t.Run(what, func(t *testing.T) {
			_, err := w.Register(t.Context(), tt.device)
			var fields []string
			for _, e := range errs.All(err) {
				if e.Code != errs.Invalid {
					t.Errorf("code %s, want invalid", e.Code)
				}
				fields = append(fields, e.Field)
			}
			if !slices.Equal(fields, tt.fields) {
				t.Errorf("Register() blames %v, want %v", fields, tt.fields)
			}
		})
	}
}

func TestRegisterAccepts(t *testing.T) {
	w := newWorld(t)
	tests := map[string]account.NewDevice{
		"letters of any script": {Name: "Телефон 电话", Email: "a@example.com", Password: "åtta ord"},
		"longest":               {Name: strings.Repeat("é", 64), Email: strings.Repeat("a", 242) + "@example.com", Password: strings.Repeat("🐟", 256)},
		"spaces in a password":  {Name: "x", Email: "UPPER@Example.COM", Password: "        x"},
	}
	for what, device := range tests {
		t.Run(what, func(t *testing.T) {
			got, err := w.Register(t.Context(), device)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(got.ID, "d_") || got.Name != device.Name || !got.CreatedAt.Equal(w.clock.Now()) {
				t.Errorf("Register() = %+v", got)
			}
			if _, err := w.Login(t.Context(), device.Name, device.Password, ""); err != nil {
				t.Errorf("Login() = %v", err)
			}
			if strings.HasSuffix(device.Password, "🐟") {
				_, err := w.Login(t.Context(), device.Name, strings.TrimSuffix(device.Password, "🐟")+"🐠", "")
				wantCode(t, "a password that differs at its very end", err, errs.Unauthorized)
			}
		})
	}
}

// TestSecondDeviceOfAnAccount must know the account's password.
func TestSecondDeviceOfAnAccount(t *testing.T) {
	w := newWorld(t)
	_, first := w.device("Chrome.test6", "six@example.com")
	_, err := w.Register(t.Context(), account.NewDevice{Name: "Thief", Email: "six@example.com", Password: password + "!"})
	wantCode(t, "a wrong password", err, errs.Unauthorized)
	if field := errs.From(err).Field; field != "password" {
		t.Errorf("blamed %q, want password", field)
	}
	_, second := w.device("Firefox.test6", "SIX@example.com")
	if first.AccountID != second.AccountID {
		t.Error("the same e-mail address made two accounts")
	}
	if _, other := w.device("Else", "seven@example.com"); other.AccountID == first.AccountID {
		t.Error("two e-mail addresses share an account")
	}
	if _, err := w.Login(t.Context(), "Thief", password, ""); !errs.Is(err, errs.Unauthorized) {
		t.Errorf("the device that was refused can log in: %v", err)
	}
}

// TestDeviceNameIsTaken in any case of letters, by any account, until it is revoked.
func TestDeviceNameIsTaken(t *testing.T) {
	w := newWorld(t)
	_, who := w.device("Chrome.test6", "six@example.com")
	for _, email := range []string{"six@example.com", "seven@example.com"} {
		_, err := w.Register(t.Context(), account.NewDevice{Name: "CHROME.test6", Email: email, Password: password})
		wantCode(t, "a taken name", err, errs.Conflict)
		if e := errs.From(err); e.Field != "deviceName" || e.Message != "This device name is taken." {
			t.Errorf("blamed %q: %q", e.Field, e.Message)
		}
	}
	if _, err := w.db.AccountByEmail(t.Context(), "seven@example.com"); !errs.Is(err, errs.NotFound) {
		t.Errorf("a registration that failed left an account: %v", err)
	}
	if err := w.RevokeDevice(t.Context(), who, who.DeviceID); err != nil {
		t.Fatal(err)
	}
	if _, again := w.device("Chrome.test6", "six@example.com"); again.DeviceID == who.DeviceID {
		t.Error("a revoked device came back")
	}
}

func TestRegistrationRules(t *testing.T) {
	tests := map[account.Registration]struct{ first, same, other errs.Code }{
		account.Open:         {"", "", ""},
		account.FirstAccount: {"", "", errs.Unauthorized},
		account.Closed:       {errs.Forbidden, errs.Forbidden, errs.Forbidden},
	}
	for rule, want := range tests {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t, func(c *account.Config) { c.Registration = rule })
			register := func(name, email string) error {
				_, err := w.Register(t.Context(), account.NewDevice{Name: name, Email: email, Password: password})
				return err
			}
			wantCode(t, "the first device", register("one", "a@example.com"), want.first)
			wantCode(t, "one of the same account", register("two", "a@example.com"), want.same)
			wantCode(t, "one of another", register("three", "b@example.com"), want.other)
		})
	}
}

// TestFirstAccountTellsNothing: on a server that takes one account, an unknown
// e-mail address and a wrong password look alike, and both cost a hash.
func TestFirstAccountTellsNothing(t *testing.T) {
	w := newWorld(t, func(c *account.Config) { c.Registration = account.FirstAccount })
	w.device("one", "a@example.com")
	register := func(email string) error {
		_, err := w.Register(t.Context(), account.NewDevice{Name: "two", Email: email, Password: "not the password"})
		return err
	}
	if known, unknown := register("a@example.com"), register("b@example.com"); known.Error() != unknown.Error() {
		t.Errorf("known: %v, unknown: %v", known, unknown)
	}
	defer w.FillHashLine()()
	wantCode(t, "a known e-mail", register("a@example.com"), errs.Unavailable)
	wantCode(t, "an unknown e-mail", register("b@example.com"), errs.Unavailable)
}

// TestTwoFirstDevicesAtOnce make one account, under each rule.
func TestTwoFirstDevicesAtOnce(t *testing.T) {
	for _, rule := range []account.Registration{account.Open, account.FirstAccount} {
		t.Run(string(rule), func(t *testing.T) {
			w := newWorld(t, func(c *account.Config) { c.Registration = rule })
			names := []string{"one", "two", "three", "four"}
			var all sync.WaitGroup
			for _, name := range names {
				all.Go(func() {
					_, err := w.Register(t.Context(), account.NewDevice{Name: name, Email: "a@example.com", Password: password})
					if err != nil {
						t.Errorf("Register(%s) = %v", name, err)
					}
				})
			}
			all.Wait()
			_, who := w.login("one")
			if devices, err := w.Devices(t.Context(), who); err != nil || len(devices) != len(names) {
				t.Errorf("%d devices, %v, want %d", len(devices), err, len(names))
			}
		})
	}
}

func TestDevicesPerAccount(t *testing.T) {
	w := newWorld(t, func(c *account.Config) { c.MaxDevices = 2 })
	_, who := w.device("one", "a@example.com")
	w.device("two", "a@example.com")
	third := account.NewDevice{Name: "three", Email: "a@example.com", Password: password}
	_, err := w.Register(t.Context(), third)
	wantCode(t, "one device too many", err, errs.QuotaExceeded)
	if err := w.RevokeDevice(t.Context(), who, who.DeviceID); err != nil {
		t.Fatal(err)
	}
	_, err = w.Register(t.Context(), third)
	wantCode(t, "after one was revoked", err, "")
}
