// SPDX-License-Identifier: GPL-2.0-or-later
// vec: a growable array of any type.
//
//	VEC(struct route) routes = {0};
//	vec_push(&routes, (struct route){…});
//	vec_each(&routes, r) use(r->table);
//	vec_free(&routes);
//
// The elements belong to the vector; pointers into it die with the next push.
#ifndef GWD_BASE_VEC_H
#define GWD_BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#include "gwd/base/alloc.h"

#define VEC(type) \
	struct { \
		type *v; \
		size_t n, cap; \
	}

// Appends and evaluates to nothing.
#define vec_push(vec, ...) \
	do { \
		__typeof__(vec) vec_ = (vec); \
		if (vec_->n == vec_->cap) { \
			vec_->cap = vec_->cap ? vec_->cap * 2 : 8; \
			vec_->v = xrealloc(vec_->v, vec_->cap * sizeof(*vec_->v)); \
		} \
		vec_->v[vec_->n++] = (__VA_ARGS__); \
	} while (0)

// Room for so many and not more: what grows by itself may waste up to as much as it holds.
#define vec_reserve(vec, room) \
	do { \
		__typeof__(vec) vec_ = (vec); \
		size_t room_ = (room); \
		if (room_ > vec_->cap) { \
			vec_->v = xrealloc(vec_->v, room_ * sizeof(*vec_->v)); \
			vec_->cap = room_; \
		} \
	} while (0)

// Appends a zeroed element and points `ptr` to it.
#define vec_add(vec, ptr) \
	do { \
		vec_push(vec, (__typeof__(*(vec)->v)){0}); \
		(ptr) = &(vec)->v[(vec)->n - 1]; \
	} while (0)

// One behind the last element; NULL, as the first, while there is none.
#define vec_end(vec) ((vec)->n ? (vec)->v + (vec)->n : (vec)->v)

#define vec_each(vec, it) for (__typeof__(*(vec)->v) *it = (vec)->v; it != vec_end(vec); it++)

#define vec_free(vec) \
	do { \
		free((vec)->v); \
		(vec)->v = NULL; \
		(vec)->n = (vec)->cap = 0; \
	} while (0)

// Elements of a fixed array.
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
