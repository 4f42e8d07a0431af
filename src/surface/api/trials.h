// Trials of scripts at a time: each may take all of the time that slow scripts share, so few are
// let in.
#pragma once

#include "surface/api/limits.h"

namespace grapnel::api {

/// Used on the loop's thread; outlives its places.
class Trials {
 public:
  /// A place among them, given back when it goes.
  class Place {
   public:
    explicit Place(Trials& trials) : trials_(trials), taken_(trials.running_ < kTrialsMax) {
      if (taken_) ++trials_.running_;
    }
    ~Place() {
      if (taken_) --trials_.running_;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    bool taken() const { return taken_; }

   private:
    Trials& trials_;
    const bool taken_;
  };

 private:
  int running_ = 0;
};

}  // namespace grapnel::api
