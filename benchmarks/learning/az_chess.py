"""AlphaZero learns chess for an hour: its rating is to rise above alpha-beta that looks one ply ahead."""

from course import Course
from rated import above_alphabeta

from sakiyomi.agents import AlphaZero
from sakiyomi.boards import Chess

if __name__ == "__main__":
    about, preset = "AlphaZero, chess", AlphaZero.presets["chess"]
    Course("az-chess", about, AlphaZero, Chess(), preset, 60, above_alphabeta, snapshots=3).main()
