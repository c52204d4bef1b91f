// ICU's functions carry its version in their names, by macros that Swift does not see.
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/uspoof.h>

static inline USpoofChecker *icu_spoof_open(void) {
  UErrorCode status = U_ZERO_ERROR;
  USpoofChecker *checker = uspoof_open(&status);
  return U_SUCCESS(status) ? checker : NULL;
}

static inline void icu_spoof_close(USpoofChecker *checker) { uspoof_close(checker); }

/// Returns the length of the skeleton, or -1.
static inline int32_t icu_spoof_skeleton(
    const USpoofChecker *checker, const UChar *text, int32_t count, UChar *output, int32_t capacity) {
  UErrorCode status = U_ZERO_ERROR;
  int32_t length = uspoof_getSkeleton(checker, 0, text, count, output, capacity, &status);
  return U_SUCCESS(status) && length <= capacity ? length : -1;
}

static inline UIDNA *icu_idna_open(void) {
  UErrorCode status = U_ZERO_ERROR;
  UIDNA *idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_UNICODE, &status);
  return U_SUCCESS(status) ? idna : NULL;
}

static inline void icu_idna_close(UIDNA *idna) { uidna_close(idna); }

/// Returns the length of the U-label, which may hold U+FFFD for what IDNA forbids, or -1.
static inline int32_t icu_idna_label_to_unicode(
    const UIDNA *idna, const UChar *text, int32_t count, UChar *output, int32_t capacity) {
  UErrorCode status = U_ZERO_ERROR;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  int32_t length = uidna_labelToUnicode(idna, text, count, output, capacity, &info, &status);
  return U_SUCCESS(status) && length <= capacity ? length : -1;
}

static inline int icu_is_mark(UChar32 character) {
  return (U_MASK(u_charType(character)) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0;
}

static inline UChar32 icu_lowercase(UChar32 character) { return u_tolower(character); }
