#include "CICU.h"

#include <stddef.h>
#include <unicode/uchar.h>
#include <unicode/uidna.h>
#include <unicode/uspoof.h>

struct icu_spoof *icu_spoof_open(void) {
  UErrorCode status = U_ZERO_ERROR;
  USpoofChecker *checker = uspoof_open(&status);
  return U_SUCCESS(status) ? (struct icu_spoof *)checker : NULL;
}

void icu_spoof_close(struct icu_spoof *checker) { uspoof_close((USpoofChecker *)checker); }

int32_t icu_spoof_skeleton(
    const struct icu_spoof *checker, const uint16_t *text, int32_t count, uint16_t *output, int32_t capacity) {
  UErrorCode status = U_ZERO_ERROR;
  int32_t length = uspoof_getSkeleton(
      (const USpoofChecker *)checker, 0, (const UChar *)text, count, (UChar *)output, capacity, &status);
  return U_SUCCESS(status) && length <= capacity ? length : -1;
}

int icu_spoof_is_plain(const struct icu_spoof *checker, const uint16_t *text, int32_t count) {
  UErrorCode status = U_ZERO_ERROR;
  USpoofCheckResult *result = uspoof_openCheckResult(&status);
  if (U_FAILURE(status)) return 0;
  int32_t failed = uspoof_check2((const USpoofChecker *)checker, (const UChar *)text, count, result, &status);
  URestrictionLevel level = uspoof_getCheckResultRestrictionLevel(result, &status);
  uspoof_closeCheckResult(result);
  return U_SUCCESS(status) && failed == 0 && level <= USPOOF_SINGLE_SCRIPT_RESTRICTIVE;
}

struct icu_idna *icu_idna_open(void) {
  UErrorCode status = U_ZERO_ERROR;
  UIDNA *idna = uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_UNICODE, &status);
  return U_SUCCESS(status) ? (struct icu_idna *)idna : NULL;
}

void icu_idna_close(struct icu_idna *idna) { uidna_close((UIDNA *)idna); }

int32_t icu_idna_label_to_unicode(
    const struct icu_idna *idna, const uint16_t *text, int32_t count, uint16_t *output, int32_t capacity) {
  UErrorCode status = U_ZERO_ERROR;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  int32_t length = uidna_labelToUnicode(
      (const UIDNA *)idna, (const UChar *)text, count, (UChar *)output, capacity, &info, &status);
  return U_SUCCESS(status) && length <= capacity ? length : -1;
}

int icu_is_mark(int32_t character) {
  return (U_MASK(u_charType(character)) & (U_GC_MN_MASK | U_GC_ME_MASK)) != 0;
}

int32_t icu_lowercase(int32_t character) { return u_tolower(character); }
