package account_test

import (
	"encoding/base64"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/argon2"

	"social-server/internal/account"
	"social-server/internal/errs"
)

// spellings of one name: as it is stored first.
var spellings = []string{"Zoë Ω", "Zoe\u0308 \u2126", "ZOË ω", " zoë\u00a0Ω\t", "zoe\u0308   ω"}

// Faults B2 and B5 (SPEC N1): a device name, e-mail address or username is the same at
// every door, whatever its normalisation, its case and the space around it.
func TestOneNameAtEveryDoor(t *testing.T) {
	for i, first := range spellings {
		w := newWorld(t)
		ctx := t.Context()
		device, err := w.Register(ctx, account.NewDevice{Name: first, Email: " zoë@bücher.example", Password: password})
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range spellings {
			grant, who := w.login(other)
			if grant.Device.ID != device.ID {
				t.Errorf("%+q registered, %+q logs in as %+v", first, other, grant.Device)
			}
			_, err := w.Register(ctx, account.NewDevice{Name: other, Email: "ZOE\u0308@XN--BCHER-KVA.example\u00a0", Password: password})
			wantCode(t, "a second device of this name", err, errs.Conflict)
			wantCode(t, "its own name", w.RenameDevice(ctx, who, who.DeviceID, other), "")
			wantCode(t, "a reset code", w.ResetPassword(ctx, w.code(other), password), "")
		}
		if id, err := w.AccountOfEmail(ctx, "zoe\u0308@Bu\u0308cher.example"); id != device.AccountID || err != nil {
			t.Errorf("AccountOfEmail = %q, %v", id, err)
		}
		wantCode(t, "a code for the e-mail address", w.ResetPassword(ctx, w.code(" ZOE\u0308@bücher.EXAMPLE"), password), "")

		_, who := w.login(first)
		usernames := []string{"Zoë", "Zoe\u0308", "ZOË", " zoe\u0308 ", "zoë\u00a0"}
		user := w.connect(who, usernames[i])
		grant, _ := w.login(first)
		_, guest := w.device("guest", "guest@example.com")
		for _, other := range usernames {
			_, err := w.Connect(ctx, guest, other)
			wantCode(t, "a taken username", err, errs.Conflict)
			if _, in, err := w.Enter(ctx, grant.AccessToken, other); err != nil || in.ID != user.ID || in.Username != user.Username {
				t.Errorf("%+q connected, %+q enters %+v, %v", usernames[i], other, in, err)
			}
			if got, err := w.Join(ctx, who, other); err != nil || got.ID != user.ID {
				t.Errorf("Join(%+q) = %+v, %v", other, got, err)
			}
			wantCode(t, "Leave", w.Leave(ctx, who, other), "")
			_, err = w.Join(ctx, who, other)
			wantCode(t, "Join", err, "")
			if ask := w.ask(guest, other); ask.UserID != user.ID {
				t.Errorf("an ask for %+q reaches %q", other, ask.UserID)
			}
		}
		if waiting, err := w.Asks(ctx, who, usernames[0]); err != nil || len(waiting) != 1 {
			t.Errorf("%d asks, %v, want one for all spellings", len(waiting), err)
		}
		if user.Username != "Zoë" && user.Username != "ZOË" && user.Username != "zoë" {
			t.Errorf("stored as %+q", user.Username)
		}
	}
}

// Fault B2 (SPEC N2): a password works in every normalisation, and with the spaces of
// every keyboard.
func TestPasswordInAnyNormalisation(t *testing.T) {
	w := newWorld(t)
	const composed, decomposed = "café au lait ñ", "cafe\u0301\u00a0au\u3000lait n\u0303"
	for i, first := range []string{composed, decomposed} {
		name := fmt.Sprint("device", i)
		if _, err := w.Register(t.Context(), account.NewDevice{Name: name, Email: name + "@example.com", Password: first}); err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{composed, decomposed} {
			_, who := w.loginWith(name, other)
			wantCode(t, "Confirm", w.Confirm(t.Context(), who, other), "")
			wantCode(t, "ChangePassword", w.ChangePassword(t.Context(), who, other, first), "")
		}
		for _, wrong := range []string{composed + " ", "CAFÉ AU LAIT Ñ", "cafe au lait n"} {
			_, err := w.Login(t.Context(), name, wrong, "")
			wantCode(t, wrong, err, errs.Unauthorized)
		}
	}
}

// oldHash is what was stored of a password before passwords were normalised.
func oldHash(password string) string {
	salt := []byte("sixteen bytes!!!")
	key := argon2.IDKey([]byte(password), salt, cheap.Passes, cheap.Memory, cheap.Threads, 32)
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cheap.Memory, cheap.Passes, cheap.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

// Fault B2, rows of before: a hash of another spelling still lets its owner in,
// and is of the one spelling afterwards. A wrong password takes the same number
// of hashes whether or not there is such a device (SEC-7).
func TestPasswordHashedBefore(t *testing.T) {
	w := newWorld(t)
	var hashes atomic.Int64
	w.WatchHashes(func(_ uint32, begins bool) {
		if begins {
			hashes.Add(1)
		}
	})
	took := func(name, password string, want errs.Code) int64 {
		t.Helper()
		began := hashes.Load()
		_, err := w.Login(t.Context(), name, password, "")
		wantCode(t, name, err, want)
		return hashes.Load() - began
	}
	w.device("mac", "a@example.com")
	const typed = "tide\u00a0over cafe\u0301"
	replace := func(hash string) {
		t.Helper()
		owner, err := w.db.AccountByEmail(t.Context(), "a@example.com")
		if err == nil {
			err = w.db.ReplaceHash(t.Context(), owner.ID, owner.PasswordHash, hash)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	replace(oldHash(typed))
	if n := took("mac", typed, ""); n != 3 {
		t.Errorf("the first log-in took %d hashes, want 3: of both spellings and for the new one", n)
	}
	if n := took("mac", "tide over café", ""); n != 1 {
		t.Errorf("the next took %d hashes, want 1", n)
	}
	if n := took("mac", typed, ""); n != 1 {
		t.Errorf("the old spelling took %d hashes then, want 1", n)
	}
	for password, want := range map[string]int64{"tide over caff\u00e9": 1, "tide over caffe\u0301": 2} {
		if known, unknown := took("mac", password, errs.Unauthorized), took("nobody", password, errs.Unauthorized); known != want || unknown != want {
			t.Errorf("%+q: %d hashes for a device that exists, %d for one that does not, want %d", password, known, unknown, want)
		}
	}
	replace(oldHash(typed))
	_, second := w.loginDevice("second", "a@example.com", typed)
	replace(oldHash(typed))
	wantCode(t, "Confirm", w.Confirm(t.Context(), second, typed), "")
	replace(oldHash(typed))
	wantCode(t, "ChangePassword", w.ChangePassword(t.Context(), second, typed, better), "")
}

// loginDevice is device with another password.
func (w *world) loginDevice(name, email, password string) (account.Grant, account.Identity) {
	w.t.Helper()
	if _, err := w.Register(w.t.Context(), account.NewDevice{Name: name, Email: email, Password: password}); err != nil {
		w.t.Fatal(err)
	}
	return w.loginWith(name, password)
}

// Fault B4 (SPEC N2): a rule for new passwords is not asked of those that exist.
func TestRulesAreForNewPasswords(t *testing.T) {
	for _, rule := range []account.Registration{account.Open, account.FirstAccount} {
		w := newWorld(t, func(c *account.Config) { c.Registration = rule })
		const short, listed = "8 signs!", "password1"
		w.loginDevice("one", "a@example.com", short)
		w.Service = w.open(func(c *account.Config) { c.Registration, c.MinPassword = rule, 15 })
		_, two := w.loginDevice("two", "a@example.com", short)
		wantCode(t, "Confirm", w.Confirm(t.Context(), two, short), "")
		err := w.ChangePassword(t.Context(), two, short, "8 sounds")
		wantCode(t, "a new password that is as short", err, errs.Invalid)

		owner, err := w.db.AccountByEmail(t.Context(), "a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		for i, old := range []string{listed, "a@example.com", "ab"} { // of before there were such rules
			if err := w.db.ReplaceHash(t.Context(), owner.ID, owner.PasswordHash, oldHash(old)); err != nil {
				t.Fatal(err)
			}
			owner.PasswordHash = oldHash(old)
			w.loginDevice(fmt.Sprint("next ", i), "a@example.com", old)
		}
		_, err = w.Register(t.Context(), account.NewDevice{Name: "three", Email: "a@example.com", Password: ""})
		wantCode(t, "no password", err, errs.Invalid)
		_, err = w.Register(t.Context(), account.NewDevice{Name: "three", Email: "a@example.com", Password: "short"})
		wantCode(t, "a wrong short one", err, errs.Unauthorized)
		_, err = w.Register(t.Context(), account.NewDevice{Name: "three", Email: "new@example.com", Password: "short"})
		want := errs.Invalid
		if rule == account.FirstAccount {
			want = errs.Unauthorized // as of the address that has the account
		}
		wantCode(t, "a short one for a new address", err, want)
	}
}

// Fault B9: who may not register under first-account is told so, in the same
// words for every address and after as many hashes.
func TestFirstAccountSaysThatNobodyElseMayRegister(t *testing.T) {
	w := newWorld(t, func(c *account.Config) { c.Registration = account.FirstAccount })
	var hashes atomic.Int64
	w.WatchHashes(func(_ uint32, begins bool) {
		if begins {
			hashes.Add(1)
		}
	})
	w.device("one", "a@example.com")
	for _, wrong := range []string{"not the password", "short", "a@example.com", "not the pa\u00dfword n\u0303"} {
		answer := map[string]string{}
		cost := map[string]int64{}
		for _, email := range []string{"a@example.com", "b@example.com"} {
			began := hashes.Load()
			_, err := w.Register(t.Context(), account.NewDevice{Name: "two", Email: email, Password: wrong})
			wantCode(t, email, err, errs.Unauthorized)
			answer[email], cost[email] = errs.From(err).Message, hashes.Load()-began
		}
		const want = "Nobody else may register here: this server is for one account. A device of that account needs its e-mail address and its password."
		if answer["a@example.com"] != want || answer["b@example.com"] != want {
			t.Errorf("answers: %q", answer)
		}
		if cost["a@example.com"] != cost["b@example.com"] || cost["a@example.com"] == 0 {
			t.Errorf("hashes: %v", cost)
		}
	}
	open := newWorld(t)
	open.device("one", "a@example.com")
	_, err := open.Register(t.Context(), account.NewDevice{Name: "two", Email: "a@example.com", Password: "not the password"})
	if got := errs.From(err).Message; got != "This e-mail address is registered, and this is not its password." {
		t.Errorf("open: %s", got)
	}
}

// Fault E7: no new password is made of a name of its account, wherever one is set.
func TestPasswordsMadeOfNames(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []string{"laptoplaptop", "LAPTOP-2026", "Anna.Smith@Example.org", "annasmith1!", "anna.smithANNA.SMITH", "l.a.p.t.o.p.!", "social server 1"} {
		_, err := w.Register(t.Context(), account.NewDevice{Name: "Laptop", Email: "anna.smith@example.org", Password: bad})
		if e := errs.From(err); e.Code != errs.Invalid || e.Field != "password" {
			t.Errorf("registering with %q: %v", bad, err)
		}
	}
	_, who := w.device("Laptop", "anna.smith@example.org")
	w.device("Telefon", "anna.smith@example.org")
	w.connect(who, "Sunflower")
	for _, bad := range []string{"laptoplaptop", "Telefon-99", "sunFLOWER2026", "annasmith1!"} {
		err := w.ChangePassword(t.Context(), who, password, bad)
		if e := errs.From(err); e.Code != errs.Invalid || e.Field != "new" {
			t.Errorf("changing to %q: %v", bad, err)
		}
		err = w.ResetPassword(t.Context(), w.code("Laptop"), bad)
		if e := errs.From(err); e.Code != errs.Invalid || e.Field != "password" {
			t.Errorf("resetting to %q: %v", bad, err)
		}
	}
	wantCode(t, "words besides the name", w.ChangePassword(t.Context(), who, password, "laptop under sunflowers"), "")
}

// SPEC N3: codes count as they are meant, whatever spaces and dashes a keyboard makes.
func TestCodesHoweverTyped(t *testing.T) {
	w, anna, bob := guest(t)
	for _, between := range []string{"", "-", "\u2013", "\u2014", "\u2212", "\u00a0", "\t", "\u2009", "\u00ad", " \u2010 "} {
		code := w.invite(anna)
		user, err := w.Accept(t.Context(), bob, "\u00a0"+code[:4]+between+code[5:]+"\n")
		if err != nil || user.Username != "A" {
			t.Errorf("invitation with %+q: %v", between, err)
		}
		if err := w.Leave(t.Context(), bob, "A"); err != nil {
			t.Fatal(err)
		}
		reset := w.code("anna")
		wantCode(t, fmt.Sprintf("reset code with %+q", between),
			w.ResetPassword(t.Context(), reset[:4]+between+reset[5:]+"\u202f", password), "")
		ask := w.ask(bob, "A")
		wantCode(t, fmt.Sprintf("number with %+q", between),
			w.Approve(t.Context(), anna, "a", ask.ID, "\u00a0"+ask.Code[:1]+between+ask.Code[1:]+" "), "")
		if err := w.Leave(t.Context(), bob, "A"); err != nil {
			t.Fatal(err)
		}
	}
}
