package account

// FillHashLine takes every place at which a password could be hashed, so that
// a test sees who asks for one. The result gives them back.
func (s *Service) FillHashLine() (release func()) {
	for range cap(s.passwords.line) {
		s.passwords.line <- struct{}{}
	}
	return func() {
		for range cap(s.passwords.line) {
			<-s.passwords.line
		}
	}
}
