#include "experiments/train_observer.h"

namespace bitlab {

Registry<ObserverPlugin>& observers() {
  static Registry<ObserverPlugin> registry("observer");
  return registry;
}

}  // namespace bitlab
