// What is needed of ICU, in types of its own: Foundation brings another version of ICU's, and the two must not meet.
#ifndef ORIEL_ICU_H
#define ORIEL_ICU_H

#include <stdint.h>

struct icu_spoof;
struct icu_idna;

struct icu_spoof *icu_spoof_open(void);
void icu_spoof_close(struct icu_spoof *checker);
/// Returns the length of the skeleton, or -1.
int32_t icu_spoof_skeleton(
    const struct icu_spoof *checker, const uint16_t *text, int32_t count, uint16_t *output, int32_t capacity);

/// Whether all letters are of one script (those of Japanese and Korean count as one), and nothing else speaks against
/// showing them.
int icu_spoof_is_plain(const struct icu_spoof *checker, const uint16_t *text, int32_t count);

struct icu_idna *icu_idna_open(void);
void icu_idna_close(struct icu_idna *idna);
/// Returns the length of the U-label, which may hold U+FFFD for what IDNA forbids, or -1.
int32_t icu_idna_label_to_unicode(
    const struct icu_idna *idna, const uint16_t *text, int32_t count, uint16_t *output, int32_t capacity);

int icu_is_mark(int32_t character);
int32_t icu_lowercase(int32_t character);

#endif
