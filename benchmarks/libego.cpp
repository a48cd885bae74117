// Times libEGO's light playouts from the empty board, for benchmarks/go_speed.py.
// usage: libego PLAYOUTS ROUNDS; prints the best round's playouts per CPU second and the mean number of moves.
#include <ctime>
#include <cstdlib>
#include <iostream>

#include "ego.hpp"

int main (int argc, char** argv) {
  const int playouts = argc > 1 ? std::atoi (argv[1]) : 10000;
  const int rounds = argc > 2 ? std::atoi (argv[2]) : 1;
  Board start, board;
  FastRandom random (123);
  double best = 0;
  unsigned long moves = 0;
  for (int round = 0; round < rounds; round++) {
    const std::clock_t begin = std::clock ();
    for (int i = 0; i < playouts; i++) {
      board.Load (start);
      while (!board.BothPlayerPass ()) {
        const Player player = board.ActPlayer ();
        board.PlayLegal (player, board.RandomLightMove (player, random));
      }
      moves += board.MoveCount ();
    }
    const double seconds = double (std::clock () - begin) / CLOCKS_PER_SEC;
    if (playouts / seconds > best) best = playouts / seconds;
  }
  std::cout << best << " " << double (moves) / playouts / rounds << std::endl;
}
